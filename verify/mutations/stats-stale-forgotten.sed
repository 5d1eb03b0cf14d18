# file: future.c
# The entry of a cancelled job is not counted as stale.
/^static void count_idle_end(/,/^}/ s/sooni_count(counts, SOONI_STALE);/;/
