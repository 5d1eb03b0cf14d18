# file: idle.c
# A worker that is called does not know that it counts as searching.
/^static enum sooni_end wait_for_call(/,/^}/ s/w->searching = true;/;/
