# file: limit.c
# A job that was late is settled by its worker too.
/^static enum sooni_limit_end end(/,/^}/ s/in_time = \(.*\);/in_time = (\1, true);/
