# file: timer.c
# Who waits for the end of a fire() does not hear of it.
/^static void end_fire(/,/^}/ s/count_up(&fired);/;/
