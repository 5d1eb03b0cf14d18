# file: cycle.c
# A thread that sleeps for a time counts as stuck.
/^static struct sooni_me \*sleeper_with(/,/^}/ s/ || c->me->awaited->timed//
