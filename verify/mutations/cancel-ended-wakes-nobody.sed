# file: cancel.c
# Who waits for the end of a call is not woken.
/^static void run/,/^}/ s/sooni_wake(&c->ended, /(void)(/
