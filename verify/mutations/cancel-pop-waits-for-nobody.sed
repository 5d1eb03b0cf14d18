# file: cancel.c
# A hook that is running is taken off, and freed.
/^static void pop/,/^}/ s/await_end(c, h);/;/
