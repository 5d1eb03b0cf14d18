# file: put.c
# Nobody looks after a thread that could not be started, on which others
# relied.
/^static bool end_call(/,/^}/ s/urge = SOONI_ONLY_IDLE;/return true;/
