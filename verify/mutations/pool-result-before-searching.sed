# file: worker.c
# A worker does not count as searching when its result can be seen.
/^static void run(/,/^}/ s/if (!sooni_has_more(w) && !sooni_park_is_over(&w->executor->park)) {/if (0) {/
