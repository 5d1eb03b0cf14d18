# file: waiter.c
# A waiter that is taken off is fired all the same.
/^bool sooni_waiter_remove/,/^}/ s/sooni_list_remove(.*;/;/
