# file: future.c
# The quick way to settle is taken although there are waiters.
/^bool sooni_future_settle_quick(/,/^}/ s/SOONI_LOCKED | SOONI_WAITED |/SOONI_LOCKED |/
