# file: future.c
# A guest that still tells waiters is not taken for one.
/^static bool with_guest/,/^}/ s/return s & SOONI_BUSY ||/return/
