# file: pool.c
# Closing a pool calls none of the idle workers.
/^void sooni_pool_close(/,/^}/ s/sooni_pool_call_all(e);/;/
