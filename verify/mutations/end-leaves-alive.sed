# file: crew.c
# A thread that has left still counts as one that will look.
/^void sooni_crew_leave(/,/^}/ s/atomic_fetch_sub_explicit(&e->alive, 1, .*;/;/
