# file: thread.c
# A job ends under the eyes of a looker.
/^void sooni_wait_for_lookers/,/^}/ s/sooni_sleep(.*;/;/
