# file: member.c
# What the pool may still refuse is cancelled.
/^static bool stop_next/,/^}/ s/set_flag(m, SOONI_STOP) & SOONI_SHOWN/set_flag(m, SOONI_STOP) != SOONI_GONE/
