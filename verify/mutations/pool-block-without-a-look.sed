# file: worker.c
# A worker that gives its place away does not look at the queues.
/^static void give_place(/,/^}/ s/if (sooni_pool_has_work(e))/if (0)/
