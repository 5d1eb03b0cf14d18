# file: delay.c
# A cancelled job stays on the list of early ones.
/^static void stop(/,/^}/ s/was_early = unlist(e, t);/was_early = false;/
