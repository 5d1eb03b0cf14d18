# file: future.c
# Waiters are told without BUSY, when the last reference may be gone.
/become_done(struct soon_future/,/^}/ s/\*next |= SOONI_BUSY;/;/
/^bool sooni_future_settle(/,/^}/ s/if (next & SOONI_BUSY)/if (s \& (SOONI_WAITED | SOONI_GUEST))/
