# file: thread.c
# A looker that is through leaves those asleep who wait for it.
/^void sooni_threads_look/,/^}/ s/sooni_wake(&sooni_lookers,/((void)0,/
