# file: waiter.c
# Whoever unlocks a list leaves those asleep who wait for the lock.
/^static void unlock(/,/^}/ {
	s/sooni_wake(&f->state, atomic/(atomic/
}
