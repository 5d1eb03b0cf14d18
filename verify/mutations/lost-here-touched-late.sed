# file: limit.c
# The clock still has a job that has ended where it was submitted.
/^void sooni_limit_run_here(/,/^}/ s/^	sooni_timer_stop(&l->timer);/	;/
