/** @file select.c  The kernels, and which of them this processor gets */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "codecs/codec.h"
#include "codecs/g711.h"

static bool always(void)
{
	return true;
}

/* The compilers' cpu_supports() asks the operating system too: it says no
 * where the wider registers would not be saved. */
#if defined(__x86_64__)
static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}

/* VBMI stands for the generation (Ice Lake, Zen 4) that wide registers do not
 * slow down; the kernel itself would do without. */
static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512vbmi");
}
#endif

/* Fastest first.  Without `decode`: known, but not on this architecture. */
static const struct kernel {
	const char *name;
	g711_expand_fn *decode;
	bool (*runs)(void);
} kernels[] = {
#if defined(__x86_64__)
	{ "avx512", g711_expand_avx512, has_avx512 },
	{ "avx2", g711_expand_avx2, has_avx2 },
	{ "neon", NULL, NULL },
#elif defined(__aarch64__) /* where NEON is not optional */
	{ "neon", g711_expand_neon, always },
	{ "avx512", NULL, NULL },
	{ "avx2", NULL, NULL },
#else
	{ "avx512", NULL, NULL },
	{ "avx2", NULL, NULL },
	{ "neon", NULL, NULL },
#endif
	{ "portable", g711_expand_portable, always },
};

g711_expand_fn *g711_expand = g711_expand_portable;

int codecs_init(const char *force)
{
	for (size_t i = 0; i < sizeof kernels / sizeof *kernels; i++) {
		const struct kernel *k = &kernels[i];
		const bool runs = k->decode && k->runs();

		if (force && strcmp(force, k->name) != 0)
			continue;
		if (runs) {
			g711_expand = k->decode;
			return 0;
		}
		if (force)
			return -ENOTSUP;
	}
	return -EINVAL;
}

const char *codecs_kernel(void)
{
	size_t i = 0;

	while (kernels[i].decode != g711_expand)
		i++;
	return kernels[i].name;
}
