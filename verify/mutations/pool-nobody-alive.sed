# file: pool.c
# A submit relies on threads that have all retired.
/^static int ensure_alive(/,/^}/ s/sooni_park_first(&e->park);/return 0;/
