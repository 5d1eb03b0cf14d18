# file: stats.c
# Less may be told than was told before.
/^static uint64_t never_less(/,/^}/ s/while (told < n)/return n; while (told < n)/
