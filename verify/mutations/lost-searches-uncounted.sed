# file: hooks.c
# The new thread of a worker does not count as searching.
/^static bool replace(/,/^}/ s/sooni_park_search(&e->park);/;/
