# file: completions.c
# What is collected is not counted as an event to come.
/^void sooni_set_collect(/,/^}/ s/set->expected += 2;/;/
