# file: deque.c
# A worker never looks again at a shard that it found empty.
/^void \*sooni_deque_take_pushed(/,/^}/ s/if (t >= \*seen)/if (t > *seen || t == 0)/
