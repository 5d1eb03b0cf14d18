# file: thread.c
# Nor does one that waits in the library.
/^static int wait_as_worker(/,/^}/ s/sooni_me\.hooks->is_short(w) ?/0 ?/
/^static int wait_as_worker(/,/^}/ s/[^ ]*hooks->is_short(w) ?/0 ?/
