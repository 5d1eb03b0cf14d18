# file: worker.c
# A worker that gives its place away does not look at the queues.
/^static void begin_blocking(/,/^}/ s/is_short(w);/;/
