# file: limit.c
# If no thread can be started for one that is late nobody tries again.
/^static void write_off(/,/^}/ s/sooni_timer_start(&l->timer);/;/
