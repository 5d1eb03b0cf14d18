# file: timer.c
# A clock that ends counts as kept.
/^static void serve(/,/^}/ s/kept = false;/;/
/^static void leave(/,/^}/ s/!kept && heap.count/heap.count/
