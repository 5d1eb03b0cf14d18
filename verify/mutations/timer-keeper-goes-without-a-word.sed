# file: timer.c
# A clock that ends counts as kept.
/^static void serve(/,/^}/ s/kept = false;/;/
