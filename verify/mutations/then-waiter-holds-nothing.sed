# file: then.c
# A waiter that hangs on the input holds no reference to the continuation.
s/^	soon_future_ref(f); .*//
/^static void fire(/,/^}/ s/soon_future_unref(f);/;/
/^static void leave_input(/,/^}/ s/soon_future_unref(t->job);/;/
/^soon_future \*soon_then(/,/^}/ s/soon_future_unref(f);/;/
