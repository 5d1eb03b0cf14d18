# file: limit.c
# A job that runs has no reference to its future.
/^static void begin(/,/^}/ s/soon_future_ref(f);/;/
/^static void let_go(/,/^}/ s/soon_future_unref(f);/;/
