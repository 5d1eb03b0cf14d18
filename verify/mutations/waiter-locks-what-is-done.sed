# file: waiter.c
# A waiter is put on the list of a future that is done.
/^static uint32_t lock(/,/^}/ s/while (!(s & SOONI_DONE))/while (true)/
