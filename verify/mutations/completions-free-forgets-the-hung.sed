# file: completions.c
# free() does not wait for nodes that are being pushed.
/^static void unhang(/,/^}/ s/if (set->hung == NULL &&/if (/
