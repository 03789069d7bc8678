/** @file test_sdes.c  daemon/sig/sdes.c; base64 by Python's */
#include "daemon/sig/sdes.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

/* 30, 46, 28 and 44 bytes that count up from 0 */
#define K30 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
#define K46 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLQ"
#define K28 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw"
#define K44 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKis"
#define CM "AES_CM_128_HMAC_SHA1_80"
#define L "1 " CM " inline:" K30

/* What is read, as tag/suite/MKI */
static const struct row {
	const char *name, *text;
	int err;
	const char *want;
} rows[] = {
	{ "a usual one", L, 0, "1/1/" },
	{ "_32", "2 AES_CM_128_HMAC_SHA1_32 inline:" K30, 0, "2/2/" },
	{ "256 bits", "3 AES_256_CM_HMAC_SHA1_80 inline:" K46 "==", 0, "3/3/" },
	{ "256 bits, _32", "3 AES_256_CM_HMAC_SHA1_32 inline:" K46 "==", 0,
	  "3/4/" },
	{ "no padding", "3 AES_256_CM_HMAC_SHA1_80 inline:" K46, 0, "3/3/" },
	{ "GCM", "4 AEAD_AES_128_GCM inline:" K28 "==", 0, "4/5/" },
	{ "GCM, 256 bits", "5 AEAD_AES_256_GCM inline:" K44 "=", 0, "5/6/" },
	{ "small letters", "1 aes_cm_128_hmac_sha1_80 INLINE:" K30, 0, "1/1/" },
	{ "blanks", "  1   " CM "\tinline:" K30 "  ", 0, "1/1/" },
	{ "the largest tag", "999999999 " CM " inline:" K30, 0,
	  "999999999/1/" },

	{ "RFC 4568 section 9.1", "1 " CM " inline:"
	  "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4 "
	  "FEC_ORDER=FEC_SRTP", -ENOTSUP, "" },
	{ "lifetime", L "|2^31", 0, "1/1/" },
	{ "lifetime, a number", L "|1048576", 0, "1/1/" },
	{ "lifetime and MKI", L "|2^20|1:4", 0, "1/1/00000001" },
	{ "MKI only", L "|258:2", 0, "1/1/0102" },
	{ "MKI of eight bytes", L "|18446744073709551615:8", 0,
	  "1/1/ffffffffffffffff" },
	{ "MKI that does not fit", L "|256:1", -EBADMSG, "" },
	{ "MKI too long for us", L "|1:9", -ENOTSUP, "" },
	{ "MKI too long for anybody", L "|1:129", -EBADMSG, "" },
	{ "MKI of nothing", L "|1:0", -EBADMSG, "" },
	{ "MKI, huge", L "|99999999999999999999:8", -ENOTSUP, "" },
	{ "MKI without a number", L "|:4", -EBADMSG, "" },
	{ "MKI without a length", L "|1:", -EBADMSG, "" },
	{ "lifetime behind the MKI", L "|1:4|2^20", -EBADMSG, "" },
	{ "lifetime 2^x", L "|2^x", -EBADMSG, "" },
	{ "lifetime 2^49", L "|2^49", -EBADMSG, "" },
	{ "lifetime of no digits", L "|", 0, "1/1/" },
	{ "two of nothing", L "||", -EBADMSG, "" },

	{ "KDR=0", L " KDR=0", 0, "1/1/" },
	{ "KDR=1", L " KDR=1", -ENOTSUP, "" },
	{ "WSH", L " WSH=64", 0, "1/1/" },
	{ "WSH of no number", L " WSH=x", -EBADMSG, "" },
	{ "UNENCRYPTED_SRTP", L " UNENCRYPTED_SRTP", -ENOTSUP, "" },
	{ "UNENCRYPTED_SRTCP", L " KDR=0 UNENCRYPTED_SRTCP", -ENOTSUP, "" },
	{ "UNAUTHENTICATED_SRTP", L " UNAUTHENTICATED_SRTP", -ENOTSUP, "" },
	{ "one that may be ignored", L " -X=1", 0, "1/1/" },
	{ "one that may not", L " X=1", -ENOTSUP, "" },

	{ "several keys", L "|2^20|1:4;inline:" K30 "|2^20|2:4", -ENOTSUP, "" },
	{ "another method", "1 " CM " uri:" K30, -ENOTSUP, "" },
	{ "no method", "1 " CM " " K30, -EBADMSG, "" },
	{ "a suite not known", "1 F8_128_HMAC_SHA1_80 inline:" K30,
	  -ENOTSUP, "" },
	{ "half a suite", "1 AES_CM_128_HMAC_SHA1_8 inline:" K30,
	  -ENOTSUP, "" },
	{ "more than a suite", "1 " CM "0 inline:" K30, -ENOTSUP, "" },
	{ "a key too short", "1 " CM " inline:" K28, -EBADMSG, "" },
	{ "a key too long", L "AAAA", -EBADMSG, "" },
	{ "one digit less", "1 " CM " inline:"
	  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxw", -EBADMSG, "" },
	{ "the key of another suite", "1 AES_256_CM_HMAC_SHA1_80 inline:" K30,
	  -EBADMSG, "" },
	{ "no base64", "1 " CM " inline:"
	  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGx-_", -EBADMSG, "" },
	{ "padding within", "1 AEAD_AES_128_GCM inline:" K28 "=A",
	  -EBADMSG, "" },
	{ "tag 0", "0 " CM " inline:" K30, -EBADMSG, "" },
	{ "a tag too large", "1000000000 " CM " inline:" K30, -EBADMSG, "" },
	{ "a tag with a sign", "-1 " CM " inline:" K30, -EBADMSG, "" },
	{ "no tag", CM " inline:" K30, -EBADMSG, "" },
	{ "no key", "1 " CM, -EBADMSG, "" },
	{ "no suite", "1", -EBADMSG, "" },
	{ "nothing", "", -EBADMSG, "" },
	{ "blanks only", "   ", -EBADMSG, "" },
};

/* In a block of exactly its size */
static int parse(struct sdes *out, const char *text, size_t len)
{
	char *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	memcpy(exact, text, len);
	const int err = sdes_parse(out, exact, len);

	free(exact);
	return err;
}

static void assert_counts_up(const struct srtp_key *k)
{
	const unsigned n = srtp_key_len(k->suite);

	for (unsigned i = 0; i < SRTP_KEY_BYTES; i++)
		assert_int_equal(k->key[i], i < n ? i : 0);
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct buf b = { 0 };
		struct sdes s;

		print_message("row: %s\n", r->name);
		memset(&s, 0x77, sizeof(s));
		assert_int_equal(parse(&s, r->text, strlen(r->text)), r->err);
		if (r->err) {
			assert_int_equal(s.tag, 0x77777777);
			continue;
		}
		buf_printf(&b, "%u/%u/", s.tag, s.key.suite);
		for (unsigned k = 0; k < s.key.mki_len; k++)
			buf_printf(&b, "%02x", s.key.mki[k]);
		assert_string_equal(buf_str(&b), r->want);
		buf_free(&b);
		assert_counts_up(&s.key);
	}
}

static void test_cut_anywhere(void **state)
{
	struct sdes s;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t n = 0; n < strlen(rows[i].text); n++)
			if (parse(&s, rows[i].text, n) == 0)
				assert_int_not_equal(s.key.suite, SRTP_NONE);
}

static void test_nul_anywhere(void **state)
{
	static const char text[] = L;
	char copy[sizeof(text)];
	struct sdes s;

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		memcpy(copy, text, sizeof(text));
		copy[n] = '\0';
		assert_true(parse(&s, copy, sizeof(text) - 1) < 0);
	}
}

static void test_answers(void **state)
{
	static const struct {
		const char *offer, *want;
	} pairs[] = {
		{ "7 " CM " inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
		  "|2^20|1:4", "7 " CM " inline:" K30 },
		{ "999999999 AES_256_CM_HMAC_SHA1_80 inline:" K46,
		  "999999999 AES_256_CM_HMAC_SHA1_80 inline:"
		  K46 "==" },
		{ "1 AES_256_CM_HMAC_SHA1_32 inline:" K46,
		  "1 AES_256_CM_HMAC_SHA1_32 inline:" K46 "==" },
		{ "1 AES_CM_128_HMAC_SHA1_32 inline:" K30,
		  "1 AES_CM_128_HMAC_SHA1_32 inline:" K30 },
		{ "1 AEAD_AES_128_GCM inline:" K28,
		  "1 AEAD_AES_128_GCM inline:" K28 "==" },
		{ "1 AEAD_AES_256_GCM inline:" K44,
		  "1 AEAD_AES_256_GCM inline:" K44 "=" },
	};
	uint8_t chance[SRTP_KEY_BYTES];

	(void)state;
	for (unsigned i = 0; i < sizeof(chance); i++)
		chance[i] = (uint8_t)i;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		char out[SDES_TEXT_MAX], again[SDES_TEXT_MAX];
		struct sdes offered;
		struct srtp_key ours;

		print_message("row: %s\n", pairs[i].want);
		assert_int_equal(parse(&offered, pairs[i].offer,
				       strlen(pairs[i].offer)), 0);
		memset(&ours, 0x77, sizeof(ours));
		const size_t n = sdes_answer(out, &ours, &offered, chance);
		assert_string_equal(out, pairs[i].want);
		assert_int_equal(n, strlen(out));
		assert_int_equal(ours.suite, offered.key.suite);
		assert_int_equal(ours.mki_len, 0);
		assert_counts_up(&ours);
		assert_int_equal(sdes_print(again, offered.tag, &ours), n);
		assert_string_equal(again, out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_nul_anywhere),
		cmocka_unit_test(test_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
