# file: future.c
# A worker that runs a callback still counts as searching.
/^static void tell(/,/^}/ s/sooni_before_user();/;/
