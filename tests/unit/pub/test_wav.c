/** @file test_wav.c  daemon/pub/wav.c; the header by RIFF's definition */
#include "daemon/pub/wav.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/array.h"

static char dir[] = "/tmp/test_wav.XXXXXX";

static int setup(void **state)
{
	(void)state;
	return !mkdtemp(dir);
}

static void path_of(char out[256], const char *leg)
{
	snprintf(out, 256, "%s/%s.wav", dir, leg);
}

static int teardown(void **state)
{
	static const char *const legs[] = { "a", "b", "full" };
	char path[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(legs); i++) {
		path_of(path, legs[i]);
		unlink(path);
	}
	return rmdir(dir);
}

static uint8_t *read_all(const char *leg, size_t *len)
{
	static uint8_t data[300000];
	char path[256];

	path_of(path, leg);
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	*len = fread(data, 1, sizeof(data), f);
	fclose(f);
	return data;
}

/* RIFF size, "fmt " of 16 bytes (PCM, mono, 8 kHz, 16 bits), "data". */
static void check_header(const uint8_t *h, uint32_t samples)
{
	static const uint8_t fixed[] = {
		'W', 'A', 'V', 'E', 'f', 'm', 't', ' ', 16, 0, 0, 0, 1, 0, 1, 0,
		0x40, 0x1f, 0, 0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0, 'd', 'a', 't',
		'a',
	};
	const uint32_t data = samples * 2, riff = data + 36;

	assert_memory_equal(h, "RIFF", 4);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(h[4 + i], (uint8_t)(riff >> (8 * i)));
		assert_int_equal(h[40 + i], (uint8_t)(data >> (8 * i)));
	}
	assert_memory_equal(h + 8, fixed, sizeof(fixed));
}

static void test_an_empty_one(void **state)
{
	struct wav *w;
	size_t len;

	(void)state;
	assert_int_equal(wav_open(&w, dir, "a"), 0);
	wav_samples(w, NULL, 0);
	assert_int_equal(wav_close(w), 0);
	const uint8_t *data = read_all("a", &len);

	assert_int_equal(len, 44);
	check_header(data, 0);
}

static void test_samples_and_silence(void **state)
{
	static int16_t pcm[10000];
	struct wav *w;
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pcm); i++)
		pcm[i] = (int16_t)(i * 7 - 32768);
	assert_int_equal(wav_open(&w, dir, "a"), 0);
	wav_samples(w, pcm, 3);
	wav_samples(w, NULL, 5001);
	wav_samples(w, pcm, ARRAY_LEN(pcm));
	assert_int_equal(wav_close(w), 0);
	const uint8_t *data = read_all("a", &len);
	const size_t n = 3 + 5001 + ARRAY_LEN(pcm);

	assert_int_equal(len, 44 + 2 * n);
	check_header(data, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		const int16_t want = i < 3	  ? pcm[i]
				     : i < 5004 ? 0
						: pcm[i - 5004];

		assert_int_equal(data[44 + 2 * i] | data[45 + 2 * i] << 8,
				 (uint16_t)want);
	}

	/* a second one of the name begins anew */
	assert_int_equal(wav_open(&w, dir, "a"), 0);
	wav_samples(w, pcm, 1);
	assert_int_equal(wav_close(w), 0);
	read_all("a", &len);
	assert_int_equal(len, 46);
}

/* What a header cannot say is refused before it is written. */
static void test_over_four_gigabytes(void **state)
{
	static const uint64_t lengths[] = { UINT32_MAX / 2 - 17, UINT32_MAX,
					    UINT64_MAX, UINT64_MAX - 100 };
	static const int16_t pcm[200];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct wav *w;
		size_t len;

		print_message("row: %zu\n", i);
		assert_int_equal(wav_open(&w, dir, "b"), 0);
		wav_samples(w, pcm, 200);
		wav_samples(w, NULL, lengths[i]);
		wav_samples(w, pcm, 200); /* nothing more is taken */
		assert_int_equal(wav_close(w), -EFBIG);
		const uint8_t *data = read_all("b", &len);

		assert_int_equal(len, 44 + 400);
		check_header(data, 200);
	}
}

static void test_what_goes_wrong(void **state)
{
	static char name[5000];
	struct wav *w = NULL;
	char path[256];

	(void)state;
	assert_int_equal(wav_open(&w, "/nonexistent/dir", "a"), -ENOENT);
	assert_int_equal(wav_open(&w, "/dev/null", "a"), -ENOTDIR);
	memset(name, 'x', sizeof(name) - 1);
	assert_int_equal(wav_open(&w, dir, name), -ENAMETOOLONG);
	assert_null(w);

	path_of(path, "full");
	if (access("/dev/full", W_OK) || symlink("/dev/full", path))
		skip();
	assert_int_equal(wav_open(&w, dir, "full"), 0);
	wav_samples(w, NULL, 100000);
	assert_int_equal(wav_close(w), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_one),
		cmocka_unit_test(test_samples_and_silence),
		cmocka_unit_test(test_over_four_gigabytes),
		cmocka_unit_test(test_what_goes_wrong),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
