# file: delay.c
# A job is queued and still on the list.
/^static bool queue(/,/^}/ s/unlist(e, t);/;/
