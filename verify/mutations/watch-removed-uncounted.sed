# file: watch.c
# Waiters that are taken off are still waited for.
/^void sooni_watch_close/,/^}/ s/if (removed > 0)/if (0)/
