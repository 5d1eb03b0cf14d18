# file: worker.c
# A worker that runs a job still counts as searching.
/^static enum sooni_end work(/,/^}/ s/stop_searching(w);/;/
