# file: thread.c
# A worker that waits in the library does not look at the queues.
/^static int wait_as_worker(/,/^}/ s/ && is_short()/ \&\& 0/
