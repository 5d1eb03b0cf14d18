#!/bin/sh
#
# check_08_libuv.sh - 08_libuv does what 07_epoll does.

. "${0%08_libuv.sh}07_epoll.sh"
