# file: unread.c
# A future does not count as a holder of the block that says whom to tell.
/^void sooni_unread_hold(/,/^}/ s/atomic_fetch_add_explicit(&u->holders, .*;/;/
