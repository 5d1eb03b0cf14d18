# file: future.c
# A future is made done while somebody has its list locked.
/become_done(struct soon_future/,/^}/ s/if (sooni_unlikely(s & SOONI_LOCKED)) {/if (0) {/
