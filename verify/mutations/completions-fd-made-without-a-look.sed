# file: set_fd.c
# Whoever makes the descriptor does not look what is there already.
/^int soon_completions_fd(/,/^}/ s/sooni_set_unlock(set);/pthread_mutex_unlock(\&set->lock);/
