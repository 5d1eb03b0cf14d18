# file: fork.c
# What was not done in the parent is never done in the child.
/^static void begin_anew/,/^}/ s/sooni_slab_each(sooni_future_after_fork);//
