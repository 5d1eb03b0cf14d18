# file: crew.c
# A job is accepted though pthread_create() says EAGAIN and no thread is there.
/^int sooni_crew_ensure(/,/^}/ s/return rc;/return 0;/
