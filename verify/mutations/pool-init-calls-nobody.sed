# file: worker.c
# A thread that begins with worker_init calls nobody for the other jobs.
/^static bool init(/,/^}/ s/sooni_pool_backlog(e) > starting)/0)/
