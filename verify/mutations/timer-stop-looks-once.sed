# file: timer.c
# Who stops a timer does not see that it has started itself again.
/^bool sooni_timer_stop(/,/^}/ s/await_count(&fired);/{ await_count(\&fired); break; }/
