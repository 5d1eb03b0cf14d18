# file: room.c
# IN_LINE goes with the first in line, though there are more.
/^static bool take_for(/,/^}/ s/if (last)/if (true || last)/
