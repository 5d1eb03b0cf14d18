# file: cancel.c
# A hook pushed after the request is not called.
/^static void push(/,/^}/ s/if (!(s & SOONI_ASKED))/if (!(s \& SOONI_DONE))/
