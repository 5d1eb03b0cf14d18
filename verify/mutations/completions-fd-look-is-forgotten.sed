# file: set_fd.c
# Who takes the last on the list does not look at the stack.
/^static bool next_would_block(/,/^}/ s/atomic_load_explicit(.*) == NULL;/true;/
