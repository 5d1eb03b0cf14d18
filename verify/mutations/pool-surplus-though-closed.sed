# file: idle.c
# A worker that goes idle as surplus does not look whether the pool was
# closed.
/^enum sooni_end sooni_rest_if_surplus(/,/^}/ s/if (sooni_pool_phase(e) != SOONI_OPEN)/if (0)/
