# file: compose.c
# Two inputs that are done at once both decide it.
/^static void decide(/,/^}/ s/!sooni_future_begin_settling(f)/false/
