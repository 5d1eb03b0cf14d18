# file: idle.c
# A surplus worker that is called again does not know that it counts as
# searching.
/^enum sooni_end sooni_rest_if_surplus(/,/^}/ s/\*searching = true;/;/
