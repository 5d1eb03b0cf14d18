# file: set_fd.c
# A raise and an update come in between each other.
/_lock(&set->fd_lock)/ d; /_unlock(&set->fd_lock)/ d
