# file: idle.c
# A worker that goes idle does not look whether the pool was closed.
/^static enum sooni_end rest(/,/^}/ s/if (sooni_pool_phase(e) != SOONI_OPEN)/if (0)/
