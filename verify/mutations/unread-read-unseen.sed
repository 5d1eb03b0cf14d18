# file: unread.c
# A failure that was read is reported all the same.
/^bool sooni_unread_report(/,/^}/ s/if (marks & SOONI_READ)/if (0)/
