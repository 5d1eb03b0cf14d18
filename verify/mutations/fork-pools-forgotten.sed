# file: fork.c
# The child's pools believe in the parent's threads.
s/sooni_pool_after_fork(sooni_container_of(/(void)(sooni_container_of(/
