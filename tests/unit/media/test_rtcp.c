/** @file test_rtcp.c  daemon/media/rtcp.c */
#include "daemon/media/rtcp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

/* Written out from RFC 3550 sections 6.4 to 6.7. */
#define BLOCK "SSRC" "\x01\0\0\x02" "\0\0\0\x07" "\0\0\0\x05" "lsr_" "dlsr"
#define SR0   "\x80\xc8\0\x06" "SSRC" "ntp_NTP_" "\0\0\x10\0" "\0\0\0\x0a" \
	      "\0\0\x06\x40"
#define SR1   "\x81\xc8\0\x0c" "SSRC" "ntp_NTP_" "\0\0\x10\0" "\0\0\0\x0a" \
	      "\0\0\x06\x40" BLOCK
#define RR0   "\x80\xc9\0\x01" "SSRC"
#define RR1   "\x81\xc9\0\x07" "SSRC" BLOCK
#define SDES  "\x81\xca\0\x03" "SSRC" "\x01\x04" "name" "\0\0"
#define SDES2 "\x82\xca\0\x05" "SSRC" "\x01\x01" "n" "\0" "CRSS" \
	      "\x02\x03" "abc" "\0\0\0"
#define SDES2PAD "\x82\xca\0\x06" "SSRC" "\x01\x02" "nn" "\0\0\0\0" "CRSS" \
	      "\x02\x03" "abc" "\0\0\0"
#define BYE   "\x81\xcb\0\x01" "SSRC"
#define BYE2  "\x82\xcb\0\x02" "SSRC" "CRSS"
#define BYEWHY "\x81\xcb\0\x03" "SSRC" "\x07" "so long"
#define APP   "\x80\xcc\0\x02" "SSRC" "PING"
#define XR    "\x80\xcf\0\x01" "SSRC"

#define B(s) s, sizeof(s) - 1

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	int ret;
} rows[] = {
	{ "nothing",               B(""),                        -EBADMSG },
	{ "sender report",         B(SR0),                       1 },
	{ "with a block",          B(SR1),                       1 },
	{ "receiver report",       B(RR0),                       1 },
	{ "with a block",          B(RR1),                       1 },
	{ "compound",              B(SR1 SDES BYE),              3 },
	{ "APP first, as phones do", B(APP SR0 SDES),            3 },
	{ "two chunks",            B(RR0 SDES2),                 2 },
	{ "two chunks, filled up", B(SDES2PAD),                  1 },
	{ "BYE of two, no reason", B(RR0 BYE2),                  2 },
	{ "BYE with a reason",     B(BYEWHY),                    1 },
	{ "an empty BYE",          B("\x80\xcb\0\0"),            1 },
	{ "an empty SDES",         B("\x80\xca\0\0"),            1 },
	{ "a type not ours",       B(XR),                        1 },
	{ "types 192 and 223",     B("\x80\xc0\0\0" "\x80\xdf\0\0"), 2 },
	{ "type 191",              B("\x80\xbf\0\0"),            -EPROTO },
	{ "type 224",              B("\x80\xe0\0\0"),            -EPROTO },
	{ "version 1",             B("\x41\xc9\0\x01" "SSRC"),   -EPROTO },
	{ "version 1, the second", B(RR0 "\x41\xc9\0\x01" "SSRC"), -EPROTO },
	{ "padding",               B(RR0 "\xa0\xc9\0\x02" "SSRC" "\0\0\0\x04"),
	                                                         2 },
	{ "padding is all",        B("\xa0\xcf\0\x01" "\0\0\0\x04"), 1 },
	{ "padding not last",      B("\xa0\xc9\0\x02" "SSRC" "\0\0\0\x04" RR0),
	                                                         -EBADMSG },
	{ "padding of 0",          B("\xa0\xc9\0\x02" "SSRC" "\0\0\0\0"),
	                                                         -EBADMSG },
	{ "padding of 3",          B("\xa0\xc9\0\x02" "SSRC" "\0\0\0\x03"),
	                                                         -EBADMSG },
	{ "padding too long",      B("\xa0\xc9\0\x01" "\0\0\0\x08"), -EBADMSG },
	{ "padding eats the report", B("\xa0\xc9\0\x01" "\0\0\0\x04"),
	                                                         -EBADMSG },
	{ "padding of nothing",    B("\xa0\xca\0\0"),            -EBADMSG },
	{ "length lies",           B("\x80\xc9\0\x02" "SSRC"),   -EBADMSG },
	{ "length lies, far",      B("\x80\xc9\xff\xff" "SSRC"), -EBADMSG },
	{ "a block too few",       B("\x82\xc9\0\x07" "SSRC" BLOCK), -EBADMSG },
	{ "a sender's block too few", B("\x81\xc8\0\x06" "SSRC" "ntp_NTP_"
	                           "\0\0\x10\0" "\0\0\0\x0a" "\0\0\x06\x40"),
	                                                         -EBADMSG },
	{ "a sender without info", B("\x80\xc8\0\x01" "SSRC"),   -EBADMSG },
	{ "a chunk too few",       B("\x82\xca\0\x03" "SSRC" "\x01\x04" "name"
	                           "\0\0"),                      -EBADMSG },
	{ "a chunk without end",   B("\x81\xca\0\x02" "SSRC" "\x01\x02" "na"),
	                                                         -EBADMSG },
	{ "an item too long",      B("\x81\xca\0\x03" "SSRC" "\x01\x07" "name"
	                           "\0\0"),                      -EBADMSG },
	{ "a source too few",      B("\x82\xcb\0\x01" "SSRC"),   -EBADMSG },
	{ "a reason too long",     B("\x81\xcb\0\x03" "SSRC" "\x08" "so long"),
	                                                         -EBADMSG },
	{ "APP without a name",    B("\x80\xcc\0\x01" "SSRC"),   -EBADMSG },
	{ "4 octets (AST-2017-008)", B("\x80\xc8\0\0"),          -EBADMSG },
	{ "a tail",                B(RR0 "\x80"),                -EBADMSG },
};

/* An exact block on the heap, so that ASan sees a read past it. */
static uint8_t *exact(const char *bytes, size_t len)
{
	uint8_t *p = malloc(len);

	memcpy(p, bytes, len);
	return p;
}

static void test_check(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t *data = exact(rows[i].bytes, rows[i].len);
		const int ret = rtcp_check(data, rows[i].len);

		free(data);
		if (ret != rows[i].ret)
			fail_msg("%s: %d, not %d", rows[i].name, ret,
				 rows[i].ret);
	}
}

/* A good compound cut anywhere but between its packets is not good. */
static void test_cut(void **state)
{
	static const char whole[] = SR1 SDES BYEWHY;

	(void)state;
	for (size_t n = 1; n < sizeof(whole) - 1; n++) {
		const int want = n == 52 ? 1 : n == 52 + 16 ? 2 : -EBADMSG;
		uint8_t *data = exact(whole, n);
		const int ret = rtcp_check(data, n);

		free(data);
		if (ret != want)
			fail_msg("%zu bytes: %d", n, ret);
	}
}

static void test_is(void **state)
{
	static const struct {
		const char *name;
		const char *bytes;
		size_t len;
		bool is;
	} is[] = {
		{ "nothing", "", 0, false },
		{ "three bytes", "\x80\xc8\0", 3, false },
		{ "SR", "\x80\xc8\0\0", 4, true },
		{ "192", "\x80\xc0\0\0", 4, true },
		{ "223", "\x80\xdf\0\0", 4, true },
		{ "191: type 63, marker", "\x80\xbf\0\0", 4, false },
		{ "224: type 96, marker", "\x80\xe0\0\0", 4, false },
		{ "type 0", "\x80\0\0\0", 4, false },
		{ "type 72 without marker", "\x80\x48\0\0", 4, false },
		{ "version 0", "\0\xc8\0\0", 4, false },
		{ "version 3", "\xc0\xc8\0\0", 4, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(is); i++) {
		uint8_t *data = exact(is[i].bytes, is[i].len);

		if (rtcp_is(data, is[i].len) != is[i].is)
			fail_msg("%s", is[i].name);
		free(data);
	}
}

static void test_walk(void **state)
{
	static const char whole[] = SR1 SDES BYE2 APP;
	struct rd r = rd_of(whole, sizeof(whole) - 1);
	struct rtcp_sender s = { 0 };
	struct rtcp p;

	(void)state;
	assert_int_equal(1, rtcp_next(&p, &r));
	assert_int_equal(RTCP_SR, p.type);
	assert_int_equal(1, p.count);
	assert_int_equal(0x53535243, p.ssrc);
	assert_int_equal(48, p.len);
	assert_int_equal(0, rtcp_sender(&s, &p));
	assert_true(s.ntp == 0x6e74705f4e54505f);
	assert_int_equal(4096, s.ts);
	assert_int_equal(10, s.packets);
	assert_int_equal(1600, s.octets);
	assert_false(rtcp_bye_names(&p, 0x53535243));

	assert_int_equal(1, rtcp_next(&p, &r));
	assert_int_equal(RTCP_SDES, p.type);
	assert_int_equal(-EINVAL, rtcp_sender(&s, &p));

	assert_int_equal(1, rtcp_next(&p, &r));
	assert_true(rtcp_bye_names(&p, 0x53535243));
	assert_true(rtcp_bye_names(&p, 0x43525353));
	assert_false(rtcp_bye_names(&p, 0));

	assert_int_equal(1, rtcp_next(&p, &r));
	assert_int_equal(RTCP_APP, p.type);
	p.type = 0;
	assert_int_equal(0, rtcp_next(&p, &r));
	assert_int_equal(0, p.type);

	r = rd_of(RR0, sizeof(RR0) - 1);
	assert_int_equal(1, rtcp_next(&p, &r));
	assert_int_equal(0, p.count);
	assert_int_equal(0x53535243, p.ssrc);
}

/* An empty BYE names nobody, whatever follows it. */
static void test_empty_bye(void **state)
{
	struct rd r = rd_of("\x80\xcb\0\x01" "\x03" "bye", 8);
	struct rtcp p;

	(void)state;
	assert_int_equal(1, rtcp_next(&p, &r));
	assert_int_equal(0, p.ssrc);
	assert_false(rtcp_bye_names(&p, 0x03627965));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_is),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_empty_bye),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
