# file: park.c
# The last searcher that finds something does not know that it is the last.
/^bool sooni_park_found/,/^}/ s/== 1;/== UINT32_MAX;/
