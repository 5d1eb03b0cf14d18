# file: executor.c
# The monitor goes on looking at a pool that is freed.
/^void soon_executor_free/,/^}/ s/sooni_monitor_forget(e);//
