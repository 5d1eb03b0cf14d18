# file: thread.c
# A looker that is through leaves those asleep who wait for it.
/^void sooni_threads_let_go/,/^}/ s/sooni_wake(&sooni_lookers,/((void)0,/
