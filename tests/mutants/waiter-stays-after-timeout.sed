# file: watch.c
# A wait that times out leaves its waiters on the lists of the futures.
/^void sooni_watch_close(/,/^}/ {
	s/sooni_waiter_remove(.*))$/true)/
}
