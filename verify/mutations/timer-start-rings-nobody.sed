# file: timer.c
# The clock does not hear that a timer comes earlier than it sleeps.
/^int sooni_timer_start(/,/^}/ s/ring();/;/
