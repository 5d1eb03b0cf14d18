# file: pool.c
# Nobody looks after a thread that could not be started, on which others
# relied.
/^void sooni_pool_call(/,/^}/ s/urge = SOONI_ONLY_IDLE;/return;/
