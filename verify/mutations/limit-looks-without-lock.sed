# file: lost.c
# Whether its pool is stopping a job asks when that may have gone.
/^bool sooni_limit_is_stopping(/,/^}/ s/pthread_mutex_[un]*lock(&l->lock);/;/
