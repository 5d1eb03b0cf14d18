# file: os_posix.c os_futex_linux.c
# Deadlines, and those who sleep until then, go by the clock that is set.
s/read_clock(CLOCK_MONOTONIC/read_clock(CLOCK_REALTIME/
s/FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG/& | FUTEX_CLOCK_REALTIME/
