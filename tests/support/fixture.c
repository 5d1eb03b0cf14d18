/*
 * fixture.c - what the fixtures of dump.h and of forker.h have.
 */
#include "dump.h"

soon_executor *pool;
struct gate gate;
