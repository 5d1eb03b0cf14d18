# file: run.c
# A job that begins during a shutdown which stops all does not find that out.
/^bool sooni_is_asked(/,/^}/ s/!is_stopping(f)/true/
