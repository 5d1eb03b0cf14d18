# file: hooks.c
# A worker takes an entry out of its queue and forgets it, because the
# job was cancelled.
/^static bool claim(/,/^}/ s/sooni_future_drop_entry(f);/;/
