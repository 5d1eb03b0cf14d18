# file: crew.c
# A thread that could not be started counts as running for ever.
/^int sooni_crew_start(/,/^}/ s/sooni_park_exit(&e->park, true);/;/
