# file: limit.c
# The clock lets the pool go before it has told everybody.
/^static void expire(/,/^}/ s/sooni_future_fail(f, ETIMEDOUT, NULL);/sooni_home_leave(home); &/
/^static void leave(/,/^}/ s/sooni_home_leave(home);/(void)home;/
