# file: executor.c
# A shutdown that stops all asks no running job.
/^static void cancel_running(/,/^}/ s/sooni_threads_look(.*;/(void)ask_if_home;/
