# file: room.c
# One that was admitted is left asleep.
/^static void answer(/,/^}/ s/sooni_wake(&a->word, \(.*\)$/((void)\1/
