/** @file wall.c  Wall-clock time as text */
#include "daemon/base/wall.h"

#include <stdio.h>
#include <time.h>

const char *wall_print(char out[WALL_TEXT], uint64_t us)
{
	const time_t s = (time_t)(us / 1000000);
	struct tm tm = {0};

	gmtime_r(&s, &tm);
	const size_t n = strftime(out, WALL_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, WALL_TEXT - n, ".%06uZ", (unsigned)(us % 1000000));
	return out;
}
