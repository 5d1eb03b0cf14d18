# file: idle.c
# A worker whose place the monitor has given away goes on as if it had it.
/^void sooni_regain_place/,/^}/ s/== SOONI_PLACE_TAKEN/== SOONI_PLACE_HELD + 7/
