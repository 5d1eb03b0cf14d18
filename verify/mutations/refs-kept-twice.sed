# file: refs.c
# Who takes the reference that is one too many raises the count instead of setting
# it, as may another after one was dropped.
/^static void keep_for_ever/,/^}/ {
	s/next = (s & (SOONI_REF - 1)) |/next = s +/
	s,MOST_REFS / 2 \* 3),MOST_REFS / 2),
}
/^soon_future \*soon_future_ref/,/^}/ s/>= SOONI_MOST_REFS - 1/== SOONI_MOST_REFS - 1/
