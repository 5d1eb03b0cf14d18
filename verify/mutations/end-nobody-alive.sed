# file: pool.c
# A submit relies on threads that have all retired.
/^static int ensure_alive(/,/^}/ s/return sooni_crew_ensure(e);/return 0;/
