# file: cycle.c
# A wait for all does not look again when others have begun to wait.
/^int sooni_await_begin(/,/^}/ s/begun++;/;/
