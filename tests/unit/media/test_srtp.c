/** @file test_srtp.c  daemon/media/srtp.c; vectors: tests/flow/oracle/srtp.py, from the RFCs */
#include "daemon/media/srtp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <srtp2/srtp.h>

#include "daemon/base/array.h"

enum { PACKET = 28 };

/* Sequence 65535, then 0 of the next cycle; then a report.  The key's bytes
 * count up from 0 */
static const struct row {
	enum srtp_suite suite;
	const char *mki, *rtp, *next, *rtcp;
} rows[] = {
	{ SRTP_AES_CM_128_80, "",
	  "800fffffdecafbadcafebabebced50f75e53ed182dbc3ea60a87d582"
	  "ca5197b53a885e261dbf",
	  "800f0000decafbadcafebabee7be3d3f5105673387c4895a93a00bb0"
	  "7fe0ecbcf436e294ae81",
	  "81c8000bcafebabe2dcbd1a0f763810879d398df743f4f7d80000001"
	  "77c289fde7d4cbca4e39" },
	{ SRTP_AES_CM_128_80, "00000102",
	  "800fffffdecafbadcafebabebced50f75e53ed182dbc3ea60a87d582"
	  "00000102ca5197b53a885e261dbf",
	  "800f0000decafbadcafebabee7be3d3f5105673387c4895a93a00bb0"
	  "000001027fe0ecbcf436e294ae81",
	  "81c8000bcafebabe2dcbd1a0f763810879d398df743f4f7d80000001"
	  "0000010277c289fde7d4cbca4e39" },
	{ SRTP_AES_CM_128_32, "",
	  "800fffffdecafbadcafebabebced50f75e53ed182dbc3ea60a87d582"
	  "ca5197b5",
	  "800f0000decafbadcafebabee7be3d3f5105673387c4895a93a00bb0"
	  "7fe0ecbc",
	  "81c8000bcafebabe2dcbd1a0f763810879d398df743f4f7d80000001"
	  "77c289fde7d4cbca4e39" },
	{ SRTP_AES_CM_128_32, "00000102",
	  "800fffffdecafbadcafebabebced50f75e53ed182dbc3ea60a87d582"
	  "00000102ca5197b5",
	  "800f0000decafbadcafebabee7be3d3f5105673387c4895a93a00bb0"
	  "000001027fe0ecbc",
	  "81c8000bcafebabe2dcbd1a0f763810879d398df743f4f7d80000001"
	  "0000010277c289fde7d4cbca4e39" },
	{ SRTP_AES_256_CM_80, "",
	  "800fffffdecafbadcafebabe4f1bc7d3fcc3b2ad95f567c7076b5264"
	  "9d636a3cc7aaaf0c0251",
	  "800f0000decafbadcafebabecd66beef93d16ae66129f2b9610e3e3c"
	  "5bc2999f76286c0a25a2",
	  "81c8000bcafebabe3f960588a64d32c35a8d9d562306602e80000001"
	  "c1b5055976fc43cc4ece" },
	{ SRTP_AES_256_CM_80, "00000102",
	  "800fffffdecafbadcafebabe4f1bc7d3fcc3b2ad95f567c7076b5264"
	  "000001029d636a3cc7aaaf0c0251",
	  "800f0000decafbadcafebabecd66beef93d16ae66129f2b9610e3e3c"
	  "000001025bc2999f76286c0a25a2",
	  "81c8000bcafebabe3f960588a64d32c35a8d9d562306602e80000001"
	  "00000102c1b5055976fc43cc4ece" },
	{ SRTP_AES_256_CM_32, "",
	  "800fffffdecafbadcafebabe4f1bc7d3fcc3b2ad95f567c7076b5264"
	  "9d636a3c",
	  "800f0000decafbadcafebabecd66beef93d16ae66129f2b9610e3e3c"
	  "5bc2999f",
	  "81c8000bcafebabe3f960588a64d32c35a8d9d562306602e80000001"
	  "c1b5055976fc43cc4ece" },
	{ SRTP_AES_256_CM_32, "00000102",
	  "800fffffdecafbadcafebabe4f1bc7d3fcc3b2ad95f567c7076b5264"
	  "000001029d636a3c",
	  "800f0000decafbadcafebabecd66beef93d16ae66129f2b9610e3e3c"
	  "000001025bc2999f",
	  "81c8000bcafebabe3f960588a64d32c35a8d9d562306602e80000001"
	  "00000102c1b5055976fc43cc4ece" },
	{ SRTP_AES_128_GCM, "",
	  "800fffffdecafbadcafebabee00469ce1ae9bcf40b0c3c2a003ecaff"
	  "84c4577dfff52ea06ff6acb65abe51ec",
	  "800f0000decafbadcafebabef4303a9ace3f02f9164f78accd7f1f2f"
	  "9cf6081872395ea20993264715617064",
	  "81c8000bcafebabe60b68cb97100e4206ca1c1b44a69f017d387a55d"
	  "3b720ebc6a4f31cd9316b96180000001" },
	{ SRTP_AES_128_GCM, "00000102",
	  "800fffffdecafbadcafebabee00469ce1ae9bcf40b0c3c2a003ecaff"
	  "84c4577dfff52ea06ff6acb65abe51ec00000102",
	  "800f0000decafbadcafebabef4303a9ace3f02f9164f78accd7f1f2f"
	  "9cf6081872395ea2099326471561706400000102",
	  "81c8000bcafebabe60b68cb97100e4206ca1c1b44a69f017d387a55d"
	  "3b720ebc6a4f31cd9316b9618000000100000102" },
	{ SRTP_AES_256_GCM, "",
	  "800fffffdecafbadcafebabe574ed52ca07e114da5309442df6ad920"
	  "d4aac2db4fd3906d07d2a37fb92a87c5",
	  "800f0000decafbadcafebabe81e2d727f11c62d0782b95c710b90663"
	  "09b044b3ccaceb519c9cca20a2a5ac88",
	  "81c8000bcafebabe12d596ce61c485e7bae16103356375e982b1916f"
	  "80021399f9b4c28101aaa9af80000001" },
	{ SRTP_AES_256_GCM, "00000102",
	  "800fffffdecafbadcafebabe574ed52ca07e114da5309442df6ad920"
	  "d4aac2db4fd3906d07d2a37fb92a87c500000102",
	  "800f0000decafbadcafebabe81e2d727f11c62d0782b95c710b90663"
	  "09b044b3ccaceb519c9cca20a2a5ac8800000102",
	  "81c8000bcafebabe12d596ce61c485e7bae16103356375e982b1916f"
	  "80021399f9b4c28101aaa9af8000000100000102" },
};

static size_t unhex(uint8_t *out, const char *hex)
{
	const size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		const char two[] = { hex[2 * i], hex[2 * i + 1], '\0' };

		out[i] = (uint8_t)strtoul(two, NULL, 16);
	}
	return n;
}

static struct srtp_key key_of(enum srtp_suite suite, const char *mki)
{
	struct srtp_key k = { .suite = (uint8_t)suite };

	for (unsigned i = 0; i < srtp_key_len(k.suite); i++)
		k.key[i] = (uint8_t)i;
	k.mki_len = (uint8_t)unhex(k.mki, mki);
	return k;
}

/* In a block of exactly its size */
static int receive(struct srtp_in *s, struct srtp_plain *out,
		   const uint8_t *data, size_t len, bool rtcp)
{
	uint8_t *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	memcpy(exact, data, len);
	const int err = rtcp ? srtp_in_rtcp(s, out, exact, len)
			     : srtp_in_rtp(s, out, exact, len);

	free(exact);
	return err;
}

static int receive_hex(struct srtp_in *s, struct srtp_plain *out,
		       const char *hex, bool rtcp)
{
	uint8_t data[128];

	return receive(s, out, data, unhex(data, hex), rtcp);
}

static void assert_plain(const struct srtp_plain *p, const char *hex)
{
	uint8_t want[PACKET];
	const size_t n = unhex(want, hex);

	memset(want + n, 0xab, 16);
	assert_int_equal(p->len, n + 16);
	assert_memory_equal(p->data, want, n + 16);
}

static void test_vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		const struct srtp_key k = key_of(r->suite, r->mki);
		struct srtp_in s = { 0 };
		struct srtp_out o = { 0 };
		struct srtp_plain p;
		uint8_t want[128];

		print_message("row: %u, MKI \"%s\"\n", r->suite, r->mki);
		assert_true(srtp_in_is_plain(&s));
		assert_int_equal(srtp_in_set(&s, &k), 0);
		assert_false(srtp_in_is_plain(&s));
		assert_int_equal(receive_hex(&s, &p, r->rtp, false), 0);
		assert_plain(&p, "800fffffdecafbadcafebabe");
		assert_int_equal(receive_hex(&s, &p, r->next, false), 0);
		assert_plain(&p, "800f0000decafbadcafebabe");
		assert_int_equal(receive_hex(&s, &p, r->rtcp, true), 0);
		assert_plain(&p, "81c8000bcafebabe");

		/* p is the report; without an MKI, as in the even rows */
		assert_int_equal(srtp_out_set(&o, &k), 0);
		const int n = srtp_out_rtcp(&o, p.data, p.len);
		assert_int_equal(n, unhex(want, rows[i & ~1u].rtcp));
		assert_memory_equal(p.data, want, n);
		srtp_in_clear(&s);
		srtp_out_clear(&o);
		assert_true(srtp_in_is_plain(&s));
	}
}

/* Whatever bit of it was changed, wherever it was cut off */
static void test_forged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		const struct srtp_key k = key_of(r->suite, r->mki);
		struct srtp_in s = { 0 };
		struct srtp_plain p = { .len = 77 };
		uint8_t data[128];

		print_message("row: %u, MKI \"%s\"\n", r->suite, r->mki);
		assert_int_equal(srtp_in_set(&s, &k), 0);
		for (int rtcp = 0; rtcp < 2; rtcp++) {
			const char *hex = rtcp ? r->rtcp : r->rtp;
			const size_t n = unhex(data, hex);

			for (size_t bit = 0; bit < 8 * n; bit++) {
				data[bit / 8] ^= (uint8_t)(1 << bit % 8);
				assert_true(receive(&s, &p, data, n, rtcp) < 0);
				data[bit / 8] ^= (uint8_t)(1 << bit % 8);
			}
			for (size_t cut = 0; cut < n; cut++)
				assert_true(receive(&s, &p, data, cut, rtcp)
					    < 0);
			assert_int_equal(p.len, 77);
			assert_int_equal(s.now.n_spoke, rtcp);
			assert_int_equal(receive(&s, &p, data, n, rtcp), 0);
			assert_int_equal(receive(&s, &p, data, n, rtcp),
					 -EALREADY);
			p.len = 77;
		}
		srtp_in_clear(&s);
	}
}

static void test_no_packet(void **state)
{
	static uint8_t huge[sizeof((struct srtp_plain){ 0 }.data) + 1];
	const struct srtp_key k = key_of(SRTP_AES_CM_128_80, "");
	struct srtp_in s = { 0 };
	struct srtp_plain p;
	uint8_t data[128];
	const size_t n = unhex(data, rows[0].rtp);

	(void)state;
	assert_int_equal(srtp_in_set(&s, &k), 0);
	huge[0] = 0x80;
	assert_int_equal(receive(&s, &p, huge, sizeof(huge), false), -EMSGSIZE);
	assert_int_equal(receive(&s, &p, huge, sizeof(huge) - 1, false),
			 -EACCES);
	data[0] = 0x40;
	assert_int_equal(receive(&s, &p, data, n, false), -EBADMSG);
	data[0] = 0x8f; /* contributing sources that are not there */
	assert_int_equal(receive(&s, &p, data, n, false), -EBADMSG);
	data[0] = 0x90; /* an extension that goes past the end */
	assert_int_equal(receive(&s, &p, data, n, false), -EBADMSG);
	srtp_in_clear(&s);
}

static void test_keys_not_known(void **state)
{
	struct srtp_key k = key_of(SRTP_AES_CM_128_80, "");
	struct srtp_in s = { 0 };
	struct srtp_plain p;

	(void)state;
	assert_int_equal(srtp_in_set(&s, &k), 0);
	k.suite = SRTP_SUITES;
	assert_int_equal(srtp_in_set(&s, &k), -EINVAL);
	assert_int_equal(receive_hex(&s, &p, rows[0].rtp, false), 0);
	srtp_in_clear(&s);
}

/* -- a sender, by the library ----------------------------------------------- */

static srtp_t sender_of(const struct srtp_key *k)
{
	struct srtp_key copy = *k;
	srtp_policy_t p = { .ssrc = { .type = ssrc_any_outbound },
			    .window_size = 128, .key = copy.key };
	srtp_t s;

	srtp_crypto_policy_set_rtp_default(&p.rtp);
	srtp_crypto_policy_set_rtcp_default(&p.rtcp);
	assert_int_equal(srtp_create(&s, &p), 0);
	return s;
}

static int make(srtp_t s, uint8_t out[64], uint16_t seq, uint32_t ssrc)
{
	const uint32_t word[] = { htonl(0x80000000u | seq), htonl(seq * 160u),
				  htonl(ssrc) };
	int n = PACKET;

	memcpy(out, word, 12);
	memset(out + 12, 0xab, 16);
	assert_int_equal(srtp_protect(s, out, &n), 0);
	return n;
}

static int pass(struct srtp_in *in, srtp_t s, uint16_t seq, uint32_t ssrc)
{
	_Alignas(8) uint8_t data[64];
	struct srtp_plain p;
	const int n = make(s, data, seq, ssrc);

	return receive(in, &p, data, (size_t)n, false);
}

static void test_wraps_and_replays(void **state)
{
	const struct srtp_key k = key_of(SRTP_AES_CM_128_80, "");
	const srtp_t from = sender_of(&k);
	_Alignas(8) uint8_t old[64];
	struct srtp_in s = { 0 };
	struct srtp_plain p;

	(void)state;
	assert_int_equal(srtp_in_set(&s, &k), 0);
	const int n = make(from, old, 1, 7);
	assert_int_equal(receive(&s, &p, old, (size_t)n, false), 0);
	for (unsigned i = 2; i < 3 * 65536; i += i % 50 ? 1 : 997)
		assert_int_equal(pass(&s, from, (uint16_t)i, 7), 0);
	assert_true(receive(&s, &p, old, (size_t)n, false) < 0);
	assert_int_equal(s.now.n_spoke, 1);
	srtp_in_clear(&s);
	srtp_dealloc(from);
}

static void test_the_old_key_until_the_new_one_speaks(void **state)
{
	const struct srtp_key a = key_of(SRTP_AES_CM_128_80, "");
	struct srtp_key b = a, c = a;
	struct srtp_in s = { 0 };

	(void)state;
	b.key[0] ^= 1;
	c.key[0] ^= 2;
	const srtp_t from_a = sender_of(&a), from_b = sender_of(&b),
		     from_c = sender_of(&c);

	assert_int_equal(srtp_in_set(&s, &a), 0);
	assert_int_equal(pass(&s, from_a, 1, 7), 0);
	assert_int_equal(pass(&s, from_b, 2, 7), -EACCES);
	assert_int_equal(srtp_in_set(&s, &a), 0); /* offered again: goes on */
	assert_int_equal(pass(&s, from_a, 2, 7), 0);
	assert_ptr_equal(s.before.ctx, NULL);

	assert_int_equal(srtp_in_set(&s, &b), 0);
	for (uint16_t i = 3; i < 100; i++)
		assert_int_equal(pass(&s, from_a, i, 7), 0);
	/* b never spoke: a is still the one before */
	assert_int_equal(srtp_in_set(&s, &c), 0);
	assert_int_equal(pass(&s, from_a, 100, 7), 0);
	assert_int_equal(pass(&s, from_b, 101, 7), -EACCES);

	for (uint16_t i = 0; i < 16; i++) {
		assert_int_equal(pass(&s, from_c, 200 + i, 7), 0);
		assert_int_equal(pass(&s, from_a, 101 + i, 7), 0);
	}
	assert_int_equal(pass(&s, from_c, 216, 7), 0);
	assert_int_equal(pass(&s, from_a, 117, 7), -EACCES);

	/* plain is not believed beside a key, and the key beside plain is
	 * understood until plain speaks */
	uint8_t plain[PACKET] = { 0x80 };
	struct srtp_plain p;
	const struct srtp_key none = { 0 };

	assert_int_equal(receive(&s, &p, plain, PACKET, false), -EACCES);
	assert_int_equal(srtp_in_set(&s, &none), 0);
	assert_false(srtp_in_is_plain(&s));
	assert_int_equal(pass(&s, from_c, 217, 7), 0);
	assert_int_equal(receive(&s, &p, plain, PACKET, false), 0);
	assert_int_equal(p.len, PACKET);
	assert_memory_equal(p.data, plain, PACKET);
	assert_true(srtp_in_is_plain(&s));
	srtp_in_clear(&s);
	srtp_dealloc(from_a);
	srtp_dealloc(from_b);
	srtp_dealloc(from_c);
}

static int pass_with(struct srtp_in *in, srtp_t s, unsigned n)
{
	return pass(in, s, (uint16_t)n, 7);
}

/* One packet of many, and the last one: the others are lost.  NULL: all are */
static void run_through(struct srtp_in *in, srtp_t s, unsigned first,
			unsigned end)
{
	_Alignas(8) uint8_t unheard[64];

	for (unsigned i = first; i < end; i += MAX(1u, MIN(997u, end - 1 - i)))
		if (in)
			assert_int_equal(pass_with(in, s, i), 0);
		else
			make(s, unheard, (uint16_t)i, 7);
}

/* 22 minutes of 20 ms: who changes the key then may keep the counter or not */
static void test_rollover_counters_that_do_not_begin_at_0(void **state)
{
	static const struct {
		const char *name;
		unsigned first, change, begin; /* as sent; begin: of the new key */
		bool fails;
	} cases[] = {
		{ "kept", 65000, 65600, 65600, false },
		{ "kept, long", 1, 500000, 500000, false },
		{ "reset", 65000, 65600, 0, false },
		{ "kept, and wraps at the change", 65000, 131071, 131072,
		  false },
		{ "one that nobody can know", 1, 70, 140000, true },
	};
	const struct srtp_key a = key_of(SRTP_AES_CM_128_80, "");

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const srtp_t from_a = sender_of(&a);
		struct srtp_key c = a;
		struct srtp_in s = { 0 };

		print_message("row: %s\n", cases[i].name);
		c.key[0] ^= 1;
		const srtp_t from_c = sender_of(&c);
		assert_int_equal(srtp_in_set(&s, &a), 0);
		run_through(&s, from_a, cases[i].first, cases[i].change);
		assert_int_equal(srtp_in_set(&s, &c), 0);
		/* what the new key's sender sent before, nobody heard */
		run_through(NULL, from_c, cases[i].begin ? 1 : 0,
			    cases[i].begin);
		for (unsigned k = 0; k < 500; k++)
			assert_int_equal(pass_with(&s, from_c,
						   cases[i].begin + k),
					 cases[i].fails ? -EACCES : 0);
		assert_int_equal(s.now.n_spoke, !cases[i].fails);
		srtp_in_clear(&s);
		srtp_dealloc(from_a);
		srtp_dealloc(from_c);
	}
}

/* Its first packets before the wrap were lost */
static void test_wrapped_before_it_was_heard(void **state)
{
	const struct srtp_key k = key_of(SRTP_AES_CM_128_80, "");
	const srtp_t from = sender_of(&k);
	struct srtp_in s = { 0 };

	(void)state;
	assert_int_equal(srtp_in_set(&s, &k), 0);
	run_through(NULL, from, 65500, 65540);
	run_through(&s, from, 65540, 3 * 65536);
	srtp_in_clear(&s);
	srtp_dealloc(from);
}

/* Each takes memory of the library: the one silent for longest is forgotten */
static void test_many_sources(void **state)
{
	const struct srtp_key k = key_of(SRTP_AES_CM_128_80, "");
	const srtp_t from = sender_of(&k);
	_Alignas(8) uint8_t first[64];
	struct srtp_in s = { 0 };
	struct srtp_plain p;

	(void)state;
	assert_int_equal(srtp_in_set(&s, &k), 0);
	const size_t n = (size_t)make(from, first, 1, 0x01020304);
	assert_int_equal(receive(&s, &p, first, n, false), 0);
	for (unsigned i = 1; i < SRTP_SOURCES; i++)
		assert_int_equal(pass(&s, from, 9, 100 + i), 0);
	assert_int_equal(receive(&s, &p, first, n, false), -EALREADY);
	assert_int_equal(pass(&s, from, 2, 0x01020304), 0); /* the newest */
	assert_int_equal(pass(&s, from, 9, 500), 0); /* instead of 101 */
	assert_int_equal(receive(&s, &p, first, n, false), -EALREADY);
	for (unsigned i = 0; i < SRTP_SOURCES; i++)
		assert_int_equal(pass(&s, from, 9, 1000 + i), 0);
	assert_int_equal(s.now.n_spoke, SRTP_SOURCES);
	/* the library does not know it any more */
	assert_int_equal(receive(&s, &p, first, n, false), 0);
	srtp_in_clear(&s);
	srtp_dealloc(from);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_no_packet),
		cmocka_unit_test(test_keys_not_known),
		cmocka_unit_test(test_wraps_and_replays),
		cmocka_unit_test(test_the_old_key_until_the_new_one_speaks),
		cmocka_unit_test(test_rollover_counters_that_do_not_begin_at_0),
		cmocka_unit_test(test_wrapped_before_it_was_heard),
		cmocka_unit_test(test_many_sources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
