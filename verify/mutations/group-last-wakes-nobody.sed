# file: member.c
# Whoever comes to nothing does not say so.
/^static void leave/,/^}/ s/sooni_wake(&g->word,/(void)(0,/
