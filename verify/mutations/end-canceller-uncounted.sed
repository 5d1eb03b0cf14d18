# file: executor.c
# The end of a pool does not wait for callbacks on a thread that cancelled
# its jobs.
/^int soon_executor_shutdown(/,/^}/ {
	s/atomic_fetch_add_explicit(&e->home.guests, 2, .*;/;/
	s/sooni_home_leave(&e->home);/;/
}
