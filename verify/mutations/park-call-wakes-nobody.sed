# file: park.c
# A worker is popped and told so, but not woken.
/^static bool call(/,/^}/ s/sooni_wake(&k->word, old);/;/
