# file: refs.c
# The failure of a job that never returns is reported when it does.
/^static uint32_t unref_limited(/,/^}/ s/sooni_unread_report_held(f);/;/
