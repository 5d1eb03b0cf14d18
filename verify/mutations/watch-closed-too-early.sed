# file: watch.c
# A watch is freed while it is being told.
/^void sooni_watch_close/,/^}/ {
	s/if (!sooni_spin(&w->word, ALL, 0))/if (0)/
}
