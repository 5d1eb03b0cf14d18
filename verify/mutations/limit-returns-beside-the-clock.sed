# file: limit.c
# Who comes back late does not wait until the clock is through with its limit.
/^static enum sooni_limit_end end(/,/^}/ s/sooni_timer_stop(&l->timer);/;/
