# file: set_fd.c
# Whoever pushed first does not look whether that was taken.
/^void sooni_set_fd_raise(/,/^}/ s/if (atomic_load.*/if (true)/
