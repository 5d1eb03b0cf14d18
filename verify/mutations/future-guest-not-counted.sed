# file: future.c
# An entry is dropped without counting the guest who still has the job.
/^void sooni_future_drop_entry/,/^}/ s/bool counted = with_guest(s);/bool counted = false;/
