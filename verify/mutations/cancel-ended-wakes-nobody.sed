# file: cancel.c
# Who waits for the end of a call is not woken.
/^static bool run(/,/^}/ s/sooni_wake(&c->ended, /(void)(/
