# file: watch.c
# A watch that is being opened does not count itself.
/^struct sooni_watch \*sooni_watch_open/,/^}/ {
	s/atomic_init(&w->left, n + 1);/atomic_init(\&w->left, n);/
	s/^	count_down(w, 1);/	;/
}
