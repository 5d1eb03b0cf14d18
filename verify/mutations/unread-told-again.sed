# file: unread.c
# A future that was reported may be reported again.
/^bool sooni_unread_report(/,/^}/ s/f->unread = NULL;/;/
