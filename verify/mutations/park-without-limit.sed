# file: park.c
# A call looks at no limit.
/^enum sooni_called sooni_park_call/,/^}/ s/if (room(p, w) <= 0 ||/if (0 ||/
