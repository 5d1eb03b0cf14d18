# file: put.c
# A submitter calls somebody for a job that was taken meanwhile.
/^sooni_inline void call_for(/,/^}/ s/sooni_deque_is_empty(q)/0/
