# file: stats.c
# What has ended may be counted before it was submitted.
/^static void count_jobs(/,/^}/ s/at_least(sum_submitted(e), ended)/sum_submitted(e)/
