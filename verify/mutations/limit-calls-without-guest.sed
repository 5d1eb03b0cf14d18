# file: lost.c
# A thread looks for one to take its place in a pool that may have gone.
/^bool sooni_limit_is_short(/,/^}/ {
	s/^	if (w != NULL)/	if (0)/
	s/^		sooni_home_leave(home);/		(void)home;/
}
