# file: member.c
# Who waits for a group runs what its submit may yet be refused.
/^soon_future \*sooni_member_newest/,/^}/ s/else if (flags_of(m) & SOONI_SHOWN)/else/
