# file: tell.c
# A failure learns whom to tell when it may have gone.
/^static struct sooni_link \*tell_own(/,/^}/ s/^		sooni_unread_hold(f);/		;/
/^static void tell_rest(/,/^}/ {
	s/^	if (sooni_is_garbage(/	if (s \& SOONI_FAILED)\
		sooni_unread_hold(f);\
&/
}
