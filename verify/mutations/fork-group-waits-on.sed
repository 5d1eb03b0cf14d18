# file: groups.c
# A group waits for members that the child has not.
/^static void begin_anew/,/^}/ s/atomic_store_explicit(&g->word, g->begun, memory_order_relaxed);//
