# file: fork.c
# The list of pools is not locked for the fork.
/^static void lock_all/,/^}/ s/pthread_mutex_lock(&lock);//
/^static void unlock_all/,/^}/ s/pthread_mutex_unlock(&lock);//
