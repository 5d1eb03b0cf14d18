# file: thread.c
# A looker does not say that it looks.
/^void sooni_threads_look/,/^}/ s/atomic_exchange_explicit(&sooni_lookers, LOOKING, .*;/;/
