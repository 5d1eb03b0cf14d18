# file: idle.c
# A worker that goes idle does not look at the queues again.
/^static enum sooni_end rest(/,/^}/ s/else if (sooni_pool_has_work(e))/else if (0)/
