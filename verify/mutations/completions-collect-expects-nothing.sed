# file: completions.c
# What is collected is not counted as an event to come.
/^static void collect(/,/^}/ s/set->expected += 2;/;/
