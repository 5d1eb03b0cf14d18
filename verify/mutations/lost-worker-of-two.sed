# file: limit.c
# A thread that was written off still takes itself for the worker.
/^static void write_off(/,/^}/ s/l->worker = NULL;/;/
