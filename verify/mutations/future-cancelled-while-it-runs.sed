# file: future.c
# A running job is cancelled.
/^static uint32_t end_idle/,/^}/ {
	s/become_done(f, outcome, SOONI_RUNNING,/become_done(f, outcome, 0,/
	s/if (s & (SOONI_DONE | SOONI_RUNNING))/if (s \& SOONI_DONE)/
}
