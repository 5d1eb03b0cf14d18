# file: idle.c
# Nor does one that is surplus.
/^enum sooni_end sooni_rest_if_surplus(/,/^}/ s/if (sooni_pool_phase(e) != SOONI_OPEN)/if (0)/
