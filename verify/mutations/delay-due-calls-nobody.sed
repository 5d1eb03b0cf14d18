# file: delay.c
# No worker hears of a job that is due.
/^static void fall_due(/,/^}/ s/sooni_pool_call(e, SOONI_ANYBODY);/;/
