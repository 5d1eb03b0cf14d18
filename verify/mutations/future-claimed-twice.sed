# file: job.h
# A job that runs may be claimed again.
/sooni_future_claim(struct/,/^}/ s/while (!(s & (SOONI_RUNNING | SOONI_DONE)))/while (!(s \& SOONI_DONE))/
