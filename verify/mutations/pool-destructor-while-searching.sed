# file: future.c
# A worker that runs a destructor still counts as searching.
/^static void destroy(/,/^}/ s/sooni_before_user();/;/
