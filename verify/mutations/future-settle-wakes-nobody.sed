# file: future.c
# A future that is done leaves those asleep who wait for it.
/^bool sooni_future_settle(/,/^}/ s/sooni_wake(&f->state, s);/;/
