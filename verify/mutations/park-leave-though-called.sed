# file: park.c
# A worker whose time is up leaves although it was called just before.
/^bool sooni_park_leave/,/^}/ {
	s/return !(/(void)(/
	s/^		 CALLED);/		 CALLED);\
	return true;/
}
