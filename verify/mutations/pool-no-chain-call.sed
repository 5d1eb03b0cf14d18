# file: worker.c
# The last searcher that finds something calls nobody.
/^static void stop_searching(/,/^}/ s/if (sooni_park_found(&e->park) && .*/if (sooni_park_found(\&e->park) \&\& 0)/
