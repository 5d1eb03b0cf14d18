# file: deque.c
# A larger ring lacks the oldest item.
/^static struct sooni_deque_ring \*grow/,/^}/ s/for (i = top;/for (i = top + 1;/
