# file: door.c
# Who comes in by the door is no guest of the pool.
/^int sooni_door_enter(/,/^}/ s/if (\*e != NULL)/if (false)/
/^int sooni_door_enter(/,/^}/ s/pthread_mutex_unlock(&d->lock);/&\
	if (*e != NULL)\
		atomic_fetch_add_explicit(\&(*e)->home.guests, 2, memory_order_relaxed);/
