#!/bin/sh
#
# check_09_glib.sh - 09_glib does what 07_epoll does.

. "${0%09_glib.sh}07_epoll.sh"
