# file: sleep.c
# A sleeper that was woken takes that for the change that it awaits.
/^int sooni_sleep/,/^}/ s/^		now = atomic_load_explicit(.*/		return 0;/
