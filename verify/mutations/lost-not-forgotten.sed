# file: executor.c
# A thread that comes back looks for itself in the list of a pool that has gone.
/^void soon_executor_free(/,/^}/ s/sooni_limit_forget(&e->home);/;/
