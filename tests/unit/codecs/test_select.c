/** @file test_select.c  codecs/select.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "codecs/codec.h"
#include "daemon/base/array.h"

#if defined(__x86_64__)
/* What the processor says itself (Intel SDM vol. 2, CPUID, leaves 1 and 7),
 * and the system by XCR0 (vol. 1, 13.3); not by the compiler's function. */
static bool has(unsigned ebx7, unsigned ecx7, unsigned xcr0)
{
	unsigned a, b, c, d, low, high;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & 1u << 27))
		return false;
	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d))
		return false;
	return (b & ebx7) == ebx7 && (c & ecx7) == ecx7 && (low & xcr0) == xcr0;
}

enum {
	AVX2 = 1 << 5,        /* ebx */
	AVX512F = 1 << 16,    /* ebx */
	AVX512BW = 1 << 30,   /* ebx */
	AVX512VBMI = 1 << 1,  /* ecx */
	SAVES_YMM = 0x06,     /* xcr0 */
	SAVES_ZMM = 0xe6,     /* xcr0 */
};

static const unsigned AVX512VL = 1u << 31; /* ebx */
#endif

/* 0 or -ENOTSUP */
static int expected(const char *kernel)
{
#if defined(__x86_64__)
	if (strcmp(kernel, "avx2") == 0)
		return has(AVX2, 0, SAVES_YMM) ? 0 : -ENOTSUP;
	if (strcmp(kernel, "avx512") == 0)
		return has(AVX512F | AVX512BW | AVX512VL, AVX512VBMI,
			   SAVES_ZMM) ? 0 : -ENOTSUP;
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
