# file: crew.c
# A thread is started when all others have left a closed pool.
/^static bool is_over(/,/^}/ s/phase == SOONI_CLOSED \&\&/0 \&\&/
