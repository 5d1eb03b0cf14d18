# file: room.h
# Whoever gives a place back does not look whether somebody waits for it.
/^static inline void sooni_room_leave(/,/^}/ s/if (sooni_unlikely(old & SOONI_IN_LINE))/if (0 \&\& old)/
