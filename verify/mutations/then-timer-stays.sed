# file: compose.c
# A timer that is firing is not waited for.
/^static void done(/,/^}/ s/sooni_timer_stop(&c->timer);/;/
