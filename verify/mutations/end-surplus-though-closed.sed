# file: idle.c
# Nor does one that is surplus.
/^static enum sooni_end rest_at_once(/,/^}/ s/if (sooni_pool_phase(e) != SOONI_OPEN)/if (0)/
