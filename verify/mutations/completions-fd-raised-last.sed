# file: set.c
# The descriptor is raised after the event.
/^static void fire(/,/^}/ {
	s/if (sooni_unlikely(sooni_set_has_fd(set)))/if (false)/
	/^}/ i\
	if (top == NULL \&\& sooni_set_has_fd(set))\
		sooni_set_fd_raise(set);
}
