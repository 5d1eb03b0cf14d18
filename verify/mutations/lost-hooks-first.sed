# file: limit.c
# The hooks of a job that is late run before anybody hears that it is.
/^static void expire(/,/^}/ {
	s/sooni_future_fail(f, ETIMEDOUT, NULL);/sooni_cancel_deliver(later); &/
	s/^		sooni_cancel_deliver(later);/		;/
}
