# file: deque.c
# The owner takes the last item without racing the thieves for it.
/^bool sooni_deque_pop_if/,/^}/ s/if (won) .*/if (0)/
