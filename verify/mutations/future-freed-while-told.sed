# file: refs.c
# The last reference frees a block whose waiters are being told.
/^void soon_future_unref/,/^}/ s/SOONI_DONE | SOONI_QUEUED | SOONI_BUSY/SOONI_DONE | SOONI_QUEUED/
