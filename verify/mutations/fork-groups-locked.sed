# file: fork.c
# The list of groups stays locked in the child.
/^static void unlock_all/,/^}/ s/sooni_member_unlock_all();//
