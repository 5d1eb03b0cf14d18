# file: unread.c
# A failure that was reported while the job ran is reported at its end too.
/^void sooni_unread_report_held(/,/^}/ s/fetch_or_explicit(&f->marks, SOONI_READ,/fetch_or_explicit(\&f->marks, 0,/
