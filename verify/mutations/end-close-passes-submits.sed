# file: pool.c
# Closing a pool does not wait for the submits that are under way.
/^void sooni_pool_close(/,/^}/ s/pthread_mutex_[un]*lock(&e->shards.*;/;/
