# file: put.c
# A submitter calls somebody although all has changed since it looked.
/^sooni_inline void call_for(/,/^}/ s/sooni_park_call_seen(&e->park, seen, &k)/sooni_park_call(\&e->park, SOONI_ANYBODY, \&k)/
