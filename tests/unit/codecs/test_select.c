/** @file test_select.c  codecs/select.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "codecs/codec.h"
#include "daemon/base/array.h"

#if defined(__x86_64__)
/* What Linux says of the first processor: another source than the code's. */
static bool has_flags(const char *const *flags)
{
	static char line[16384];
	FILE *f = fopen("/proc/cpuinfo", "r");
	bool all = true;

	assert_non_null(f);
	while (fgets(line, sizeof line, f) && strncmp(line, "flags", 5) != 0)
		;
	fclose(f);
	for (; *flags; flags++) {
		char word[32];

		snprintf(word, sizeof word, " %s ", *flags);
		line[strcspn(line, "\n")] = ' ';
		all = all && strstr(line, word);
	}
	return all;
}

static const char *const avx2[] = { "avx2", NULL };
static const char *const avx512[] = { "avx512f", "avx512bw", "avx512vl",
				      "avx512_vbmi", NULL };
static const char *const vbmi[] = { "avx512f", "avx512bw", "avx512vl",
				    "avx512vbmi", NULL };
#endif

/* 0 or -ENOTSUP */
static int expected(const char *kernel)
{
#if defined(__x86_64__)
	if (strcmp(kernel, "avx2") == 0)
		return has_flags(avx2) ? 0 : -ENOTSUP;
	if (strcmp(kernel, "avx512") == 0)
		return has_flags(avx512) || has_flags(vbmi) ? 0 : -ENOTSUP;
#elif defined(__aarch64__)
	if (strcmp(kernel, "neon") == 0)
		return 0;
#endif
	return strcmp(kernel, "portable") == 0 ? 0 : -ENOTSUP;
}

/* Runs first. */
static void test_portable_until_chosen(void **state)
{
	(void)state;
	assert_string_equal(codecs_kernel(), "portable");
}

static void test_forced(void **state)
{
	static const char *const kernels[] = { "portable", "avx2", "avx512",
					       "neon" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kernels); i++) {
		const int err = expected(kernels[i]);

		assert_int_equal(codecs_init("portable"), 0);
		if (codecs_init(kernels[i]) != err)
			fail_msg("%s: not %d", kernels[i], err);
		assert_string_equal(codecs_kernel(),
				    err ? "portable" : kernels[i]);
	}
}

static void test_nonsense_changes_nothing(void **state)
{
	static const char *const wrong[] = { "", "sse2", "AVX2", "avx", "avx22",
					     "neon " };

	(void)state;
	assert_int_equal(codecs_init("portable"), 0);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		if (codecs_init(wrong[i]) != -EINVAL)
			fail_msg("\"%s\"", wrong[i]);
		assert_string_equal(codecs_kernel(), "portable");
	}
}

static void test_the_fastest_unless_forced(void **state)
{
	static const char *const order[] = { "neon", "avx512", "avx2",
					     "portable" };
	size_t i = 0;

	(void)state;
	while (expected(order[i]) != 0)
		i++;
	assert_int_equal(codecs_init(NULL), 0);
	assert_string_equal(codecs_kernel(), order[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_portable_until_chosen),
		cmocka_unit_test(test_forced),
		cmocka_unit_test(test_nonsense_changes_nothing),
		cmocka_unit_test(test_the_fastest_unless_forced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
