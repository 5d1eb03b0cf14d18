# file: park.c
# Who pops a worker without a thread believes it called.
/^static bool call(/,/^}/ s/if (old & GONE)/if (0)/
