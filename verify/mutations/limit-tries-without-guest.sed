# file: limit.c
# Whoever tries again to replace a thread is no guest of its pool.
/^static void try_again(struct sooni_timer \*t)$/,/^}/ {
	s/enter(home);/;/
	s/sooni_home_leave(home);/(void)home;/
}
