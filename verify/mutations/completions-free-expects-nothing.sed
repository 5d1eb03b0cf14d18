# file: completions.c
# free() does not wait for the raise that belongs to a push.
/^static void unhang(/,/^}/ s/ && seen == set->expected/ \&\& seen + 1/
