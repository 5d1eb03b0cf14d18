# file: unread.c
# A future that is reported has no reference.
/^static void report(/,/^}/ s/atomic_fetch_add_explicit(&f->state, SOONI_REF,/(void)(/
