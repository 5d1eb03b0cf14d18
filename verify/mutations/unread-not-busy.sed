# file: future.c
# A failure for which nobody waits is not kept busy until it knows whom to tell.
/^bool sooni_future_fail(/,/^}/ s/outcome |= SOONI_BUSY;/;/
