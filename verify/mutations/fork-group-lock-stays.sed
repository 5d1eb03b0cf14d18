# file: groups.c
# A group that was locked stays so.
/^static void begin_anew/,/^}/ s/pthread_mutex_init(&g->lock, NULL);//
