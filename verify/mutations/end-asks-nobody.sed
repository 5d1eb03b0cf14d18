# file: executor.c
# A shutdown that stops all asks no running job.
/^static void cancel(/,/^}/ s/sooni_threads_look(.*;/;/
