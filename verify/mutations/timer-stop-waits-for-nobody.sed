# file: timer.c
# Who stops a timer does not wait for its fire().
/^bool sooni_timer_stop(/,/^}/ s/await_count(&fired);/break;/
