# file: park.c
# A worker that blocks still counts as running.
/^void sooni_park_block/,/^}/ s/atomic_fetch_sub_explicit(&p->word, RUNNING, .*;/;/
