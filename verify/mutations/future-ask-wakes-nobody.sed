# file: future.c
# A job that sleeps does not hear that it should stop.
/^uint32_t sooni_future_ask/,/^}/ s/sooni_wake(&f->state, old);/;/
