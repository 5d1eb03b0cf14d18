# file: cycle.c
# A wait for an error does not hear of what succeeds.
/^static bool is_stuck(/,/^}/ s/a->alert(a);/;/
