/** @file registry.c  Every dialect in this directory, by way of the Makefile */
#include <string.h>

#include "daemon/base/array.h"
#include "tools/asr-sim/dialect.h"

#define X(name) extern const struct dialect dialect_##name;
#include "dialects.inc"
#undef X

static const struct dialect *const dialects[] = {
#define X(name) &dialect_##name,
#include "dialects.inc"
#undef X
	NULL
};

const struct dialect *dialect_at(size_t i)
{
	return i < ARRAY_LEN(dialects) ? dialects[i] : NULL;
}

const struct dialect *dialect_by_name(const char *name)
{
	for (size_t i = 0; dialects[i]; i++)
		if (!strcmp(dialects[i]->name, name))
			return dialects[i];
	return NULL;
}
