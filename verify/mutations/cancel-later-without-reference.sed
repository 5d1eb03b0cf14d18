# file: cancel.c
# What a look has found is touched when the look is over.
/^void sooni_future_ask_later/,/^}/ s/soon_future_ref(f)/f/
/^void sooni_cancel_deliver/,/^}/ s/soon_future_unref(f);//
