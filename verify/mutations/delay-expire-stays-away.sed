# file: delay.c
# The clock does not say that it is through with the user's code.
/^static void expire(/,/^}/ s/sooni_timer_back();/;/
