# file: lost.c
# It is not known in how many waits a thread is that is written off.
/^void sooni_limit_account(/,/^}/ s/l->waits += (unsigned)waits;/;/
