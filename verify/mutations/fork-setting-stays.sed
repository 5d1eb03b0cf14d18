# file: forked.c
# A promise that was being kept can be kept by nobody.
/^static void promise_after_fork/,/^}/ s/& ~(uint32_t)SOONI_SETTING/\& ~(uint32_t)0/
s/~(uint32_t)SOONI_SETTING/~(uint32_t)0/
