# file: cancel.c
# A job that sleeps does not hear that it should stop.
/^static uint32_t ask(/,/^}/ s/sooni_wake(&f->state, old);/;/
