# file: idle.c
# A worker that goes idle does not look whether the pool was closed.
/^enum sooni_end sooni_rest(/,/^}/ s/if (sooni_pool_phase(e) != SOONI_OPEN)/if (0)/
