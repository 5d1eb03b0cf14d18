# file: watch.c
# The first wakes nobody.
/^static void set(/,/^}/ s/sooni_wake(&w->word, atomic/(atomic/
