# file: idle.c
# A worker leaves without a last look at the queues.
/^static bool leave(/,/^}/ s/!sooni_pool_has_work(e)/true/
