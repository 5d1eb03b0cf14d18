# file: worker.c
# Jobs that are still queued when a pool breaks are forgotten.
/^static enum sooni_end break_pool(/,/^}/ s/sooni_pool_fail_all(e);/;/
