# file: limit.c
# The hooks of a job that is late run before anybody hears that it is.
/^static void ask_to_stop(/,/^}/ s/sooni_waiter_add_first(l->job, &l->asker);/sooni_cancel_deliver(l->asked);/
