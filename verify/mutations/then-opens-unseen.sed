# file: compose.c
# Who opens a combinator does not look at what was done meanwhile.
/^static void hang(/,/^}/ s/decide(c, .*);/;/
