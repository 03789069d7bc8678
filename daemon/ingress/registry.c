/** @file registry.c  Every way in of this directory, by way of the Makefile */
#include "daemon/ingress/way.h"

#include "daemon/base/array.h"

#define X(name) extern const struct way way_##name;
#include "ways.inc"
#undef X

static const struct way *const ways[] = {
#define X(name) &way_##name,
#include "ways.inc"
#undef X
	NULL
};

const struct way *way_at(size_t i)
{
	return i < ARRAY_LEN(ways) ? ways[i] : NULL;
}
