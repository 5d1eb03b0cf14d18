# file: refs.c
# The last reference frees a block to which a queue entry still points.
/^void soon_future_unref/,/^}/ s/SOONI_DONE | SOONI_QUEUED | SOONI_BUSY/SOONI_DONE | SOONI_BUSY/
