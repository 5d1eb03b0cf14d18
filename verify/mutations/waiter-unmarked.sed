# file: waiter.c
# A list with waiters is not marked in the word.
/^static void unlock(/,/^}/ s/f->waiters != NULL ? SOONI_WAITED : 0/0/
