# file: sleep.c
# A sleeper that times out does not look at the word again.
/^int sooni_sleep/,/^}/ s/return (now & mask) == was ? ETIMEDOUT : 0/return ETIMEDOUT/
