# file: watch.c
# Who tells a watch of the first counts down before.
/^static void note(/,/^}/ {
	s/^	count_down(w, 1);$/	(void)0;/
	s/^	if (sooni_watch_ends(.*/	count_down(w, 1);\
&/
}
