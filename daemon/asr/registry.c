/** @file registry.c  Every vendor in this directory, by way of the Makefile */
#include <string.h>

#include "daemon/asr/vendor.h"
#include "daemon/base/array.h"

#define X(name) extern const struct asr_vendor asr_vendor_##name;
#include "vendors.inc"
#undef X

static const struct asr_vendor *const vendors[] = {
#define X(name) &asr_vendor_##name,
#include "vendors.inc"
#undef X
	NULL
};

const struct asr_vendor *asr_vendor_at(size_t i)
{
	return i < ARRAY_LEN(vendors) ? vendors[i] : NULL;
}

const struct asr_vendor *asr_vendor_by_name(const char *name)
{
	for (size_t i = 0; vendors[i]; i++)
		if (!strcmp(vendors[i]->name, name))
			return vendors[i];
	return NULL;
}

const struct asr_wire asr_wires_telephone[ASR_WIRES_TELEPHONE] = {
	{ ASR_MULAW, 8000 },
	{ ASR_ALAW, 8000 },
	{ ASR_PCM_S16LE, 8000 },
	{ ASR_PCM_S16LE, 16000 },
};

const char *asr_encoding_name(enum asr_encoding e)
{
	static const char *const names[] = { "pcm", "mulaw", "alaw" };

	return names[e];
}
