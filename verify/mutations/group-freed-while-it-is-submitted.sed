# file: member.c
# A record is freed by who unlinks it, whether its submit is through or not.
/^void sooni_member_sweep/,/^}/ s/if (set_flag(m, SOONI_GONE) & SOONI_SHOWN)/set_flag(m, SOONI_GONE);/
