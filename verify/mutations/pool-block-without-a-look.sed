# file: thread.c
# A worker that gives its place away does not look at the queues.
/^void soon_blocking_begin(/,/^}/ s/is_short();/;/
