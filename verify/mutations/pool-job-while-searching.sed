# file: worker.c
# A worker that runs a job still counts as searching.
/^static void take_up(/,/^}/ s/stop_searching(w);/;/
