# file: cycle.c
# What was done before the alert is not seen.
/^static bool is_stuck(/,/^}/ s/^		v = view(w, me);/		;/
