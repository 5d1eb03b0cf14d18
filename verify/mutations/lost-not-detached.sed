# file: worker.c
# A thread that was written off waits to be joined.
/^static void end_alone(/,/^}/ s/pthread_detach(.*);/;/
