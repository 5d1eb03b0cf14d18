# file: idle.c
# A worker above max_workers leaves although others rely on its search.
/^static enum sooni_end rest(/,/^}/ {
	/sooni_park_exit(/,/return SOONI_LEFT/ s/if (sooni_pool_has_work(e))/if (0)/
}
