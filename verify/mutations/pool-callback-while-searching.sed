# file: tell.c
# A worker that runs a callback still counts as searching.
/^static void tell_users(/,/^}/ s/sooni_before_user();/;/
