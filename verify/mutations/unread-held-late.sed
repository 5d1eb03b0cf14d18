# file: future.c
# A failure learns whom to tell when it may have gone.
/^static void tell(/,/^}/ {
	s/^		sooni_unread_hold(f);/		;/
	s/^	if (sooni_is_garbage(/	if (s \& SOONI_FAILED)\
		sooni_unread_hold(f);\
&/
}
