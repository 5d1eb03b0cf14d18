# file: promise.c
# A promise that is done takes a second result, and says so.
/^int soon_future_set_result(/,/^}/ s/if (sooni_state(f) & SOONI_DONE .*/if (0)/
/^int soon_future_set_result(/,/^}/ s/SOONI_DONE) ? 0 : too_late(f)/SOONI_DONE) ? 0 : 0/
