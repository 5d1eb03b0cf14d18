# file: pool.c
# Closing a pool calls none of the idle workers.
/^void sooni_pool_close(/,/^}/ s/sooni_park_call_all(&e->park);/;/
