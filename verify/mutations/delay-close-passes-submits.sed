# file: pool.c
# Who closes a pool does not see the early job that comes just then.
/^void sooni_pool_close(/,/^}/ s/pthread_mutex_[un]*lock(&e->early_lock);/;/
