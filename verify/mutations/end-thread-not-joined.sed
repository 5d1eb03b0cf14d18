# file: crew.c
# A thread that ends does not join the one that ended before it.
/^void sooni_crew_end_thread(/,/^}/ s/if (!is_first)$/if (0)/
