# file: crew.c
# The new thread of a worker does not wait until the old one's is settled.
/^static void \*replace_main(/,/^}/ s/pthread_mutex_[un]*lock(.*);/;/
