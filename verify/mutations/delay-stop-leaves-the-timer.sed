# file: delay.c
# A job is claimed or cancelled while the clock still has it.
/^static void stop(/,/^}/ s/sooni_timer_stop(&t->timer);/;/
