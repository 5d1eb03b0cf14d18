# file: park.c
# A call looks at no limit.
/^static enum sooni_called try_to_call/,/^}/ s/if (room(p, was) <= 0 ||/if (0 ||/
