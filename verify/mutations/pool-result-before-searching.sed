# file: worker.c
# A worker does not count as searching when its result can be seen.
/^sooni_inline void end_job(/,/^}/ s/if (!sooni_has_more(w) .*) {/if (0) {/
