# file: room.c
# Those who wait are not told that the room is closed.
/^void sooni_room_close(/,/^}/ s/while ((link = sooni_list_shift(&r->line)) != NULL)/link = sooni_list_shift(\&r->line);\
	if (link != NULL)/
