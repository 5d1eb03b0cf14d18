# file: compose.c
# A waiter that is being fired does not keep what it belongs to.
/^static void fire(/,/^}/ {
	s/^	note(c, input);/	count_down(c, 1);/
	s/^	count_down(c, 1);$/	note(c, input);/
}
