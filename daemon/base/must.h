/**
 * @file must.h  The check for programmers' errors: always on, ends the process
 *
 * For our own mistakes only.  Bytes from outside never reach it: they are
 * answered with an error code and a counter.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#define must(cond)                                                             \
	((cond) ? (void)0                                                      \
		: (fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__,         \
			   __LINE__, #cond),                                   \
		   abort()))
