# file: timer.c
# The clock forgets that the bell was rung while it went to sleep.
/^static void sleep_until(/,/^}/ s/pthread_mutex_unlock(&lock);/pthread_mutex_unlock(\&lock); atomic_exchange_explicit(\&bell, 0, memory_order_relaxed);/
