# file: delay.c
# The clock queues a job whose entry somebody else has.
/^static void fall_due(/,/^}/ s/t->is_early &&/1 \&\&/
