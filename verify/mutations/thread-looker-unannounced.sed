# file: thread.c
# A looker does not say that it looks.
/^struct sooni_me \*sooni_threads_hold/,/^}/ s/atomic_exchange_explicit(&sooni_lookers, LOOKING, .*;/;/
