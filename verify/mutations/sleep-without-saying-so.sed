# file: sleep.c
# A thread sleeps without SOONI_SLEEPERS in the word.
/^int sooni_sleep/,/^}/ {
	s/if (!(now & SOONI_SLEEPERS) &&/if (0 \&\&/
	s/now | SOONI_SLEEPERS, deadline/now, deadline/
}
