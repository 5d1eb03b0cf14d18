# file: idle.c
# A worker leaves without the locks of the shards.
/^static bool leave(/,/^}/ s/sooni_pool_\(un\)*lock_shards(e);/;/
