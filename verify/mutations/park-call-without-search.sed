# file: park.c
# A called worker does not count as searching: it takes SEARCHING away that
# nobody gave.
/^static uint64_t popped/,/^}/ s/ + SEARCHING;/;/
