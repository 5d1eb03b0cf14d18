# file: future.c
# A running job is cancelled.
/become_done(struct soon_future/,/^}/ s/outcome & SOONI_CANCELLED ? SOONI_RUNNING : 0/0/
