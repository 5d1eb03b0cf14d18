# file: member.c
# A submit does not see that the group was stopped meanwhile.
/^void sooni_member_show/,/^}/ s/stop_late(m);/;/
