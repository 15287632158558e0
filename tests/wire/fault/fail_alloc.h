/*
 * fail_alloc: what the test and the library that fails share.
 */
#pragma once

#include <limits.h>
#include <stdatomic.h>

#define FAIL_ALLOC_OFF LONG_MAX

struct fail_alloc {
	atomic_long countdown; /* the allocation that fails, counted from 1 and from now */
	atomic_long goes_on;   /* all that follow fail as well */
	atomic_long failed;    /* how many did */
	atomic_long processes; /* how many have loaded the library */
};
