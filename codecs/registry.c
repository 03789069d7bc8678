/** @file registry.c  Every codec in this directory, by way of the Makefile */
#include <strings.h>

#include "codecs/codec.h"

#define X(name) extern const struct codec codec_##name;
#include "codecs.inc"
#undef X

static const struct codec *const codecs[] = {
#define X(name) &codec_##name,
#include "codecs.inc"
#undef X
	NULL
};

const struct codec *codec_by_pt(int pt)
{
	for (size_t i = 0; codecs[i]; i++)
		if (codecs[i]->pt == pt && pt >= 0)
			return codecs[i];
	return NULL;
}

const struct codec *codec_by_name(const char *name)
{
	for (size_t i = 0; codecs[i]; i++)
		if (!strcasecmp(codecs[i]->name, name))
			return codecs[i];
	return NULL;
}
