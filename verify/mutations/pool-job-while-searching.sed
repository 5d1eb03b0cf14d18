# file: worker.c
# A worker that runs a job still counts as searching.
/^static enum sooni_end serve(/,/^}/ s/stop_searching(w);/;/
/^sooni_inline void end_job(/,/^}/ s/tidy(w);/stop_searching(w); tidy(w);/
