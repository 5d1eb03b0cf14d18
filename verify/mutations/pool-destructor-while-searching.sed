# file: refs.c
# A worker that runs a destructor still counts as searching.
/^static void call_free_result(/,/^}/ s/sooni_before_user();/;/
