# file: monitor.c
# The monitor lets go of a pool without a second look.
/^static bool let_go/,/^}/ s/if (needs_watch(e))/if (false)/
/^static bool let_go/,/^}/ s/return !needs_watch(e) ||/return true ||/
