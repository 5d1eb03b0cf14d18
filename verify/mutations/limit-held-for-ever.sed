# file: limit.c
# A job that has returned seems to have its reference still.
/^static void let_go(/,/^}/ s/~(uint32_t)SOONI_HELD/~(uint32_t)0/
