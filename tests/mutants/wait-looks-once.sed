# file: sleep.c
# A wait ends when it is woken, whether or not what it waits for has come.
/^int sooni_sleep(/,/^}/ s/^		now = atomic_load_explicit(.*/		return 0;/
