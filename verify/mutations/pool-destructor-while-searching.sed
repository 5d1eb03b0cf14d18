# file: refs.c
# A worker that runs a destructor still counts as searching.
/^void sooni_future_destroy(/,/^}/ s/sooni_before_user();/;/
