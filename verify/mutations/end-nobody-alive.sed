# file: put.c
# A submit relies on threads that have all retired.
/^static int ensure_alive(/,/^}/ s/sooni_crew_ensure(e, false)/0/
