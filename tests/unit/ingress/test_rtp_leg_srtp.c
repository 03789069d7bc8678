/** @file test_rtp_leg_srtp.c  A leg's media with a key; the sender is libsrtp2 */
#include "tests/unit/ingress/leg_script.h"

/* Nothing but "key k" is signalled at the beginning */
static const struct row rows[] = {
	{ "encrypted", 'a', RTP_SOURCE_SDP, "key k; srtp a k 7 0 1 5", "7:5 ",
	  0, 0, 0, 0 },
	{ "around the end of the sequence", 'a', RTP_SOURCE_SDP,
	  "key k; srtp a k 7 0 65530 12", "7:12 ", 0, 0, 0, 0 },
	{ "plain is not believed", 'a', RTP_SOURCE_SDP,
	  "key k; rtp a 9 0 1 5; srtp a k 7 0 1 5; rtp a 7 0 6 5", "7:5 ", 0, 0,
	  0, 10 },
	{ "another's key", 'a', RTP_SOURCE_SDP,
	  "key k; srtp a l 9 0 1 5; srtp a k 7 0 1 5; srtp a l 7 0 6 5",
	  "7:5 ", 0, 0, 0, 10 },
	{ "the right key from elsewhere", 'a', RTP_SOURCE_SDP,
	  "key k; srtp x k 9 0 1 5; srtp a k 7 0 1 5", "7:5 ", 5, 0, 0, 0 },
	{ "without the key no port is locked", 'a', RTP_SOURCE_SDP,
	  "key k; rtp b 9 0 1 5; srtp a k 7 0 1 3; srtp b k 7 0 4 1", "7:3 ",
	  1, 0, 0, 5 },
	{ "without the key no sender is learnt", '-', RTP_SOURCE_LEARN,
	  "key k; rtp x 9 0 1 9; srtp x l 9 0 1 9; srtp y k 7 0 1 6", "7:6 ",
	  0, 0, 0, 18 },
	{ "without the key no SSRC takes over", 'a', RTP_SOURCE_SDP,
	  "key k; srtp a k 7 0 1 2; wait 500; rtp a 8 0 1 5; srtp a k 7 0 3 2",
	  "7:4 ", 0, 0, 0, 5 },
	{ "without the key no sign of life", 'a', RTP_SOURCE_SDP,
	  "key k; wait 4900; rtp a 7 0 1 6", "no_rtp@5000 ", 0, 0, 0, 6 },
	{ "a new SSRC with the key does", 'a', RTP_SOURCE_SDP,
	  "key k; srtp a k 7 0 1 2; wait 500; srtp a k 8 0 9 3", "7:2 8:3 ", 0,
	  0, 0, 0 },
	{ "no RTP at all", 'a', RTP_SOURCE_SDP,
	  "key k; raw a; raw a 80; raw a 8000000100000000000000", "", 0, 0, 0,
	  3 },

	{ "a new key: the old one until it speaks", 'a', RTP_SOURCE_SDP,
	  "key k; srtp a k 7 0 1 3; key l; srtp a k 7 0 4 3; srtp a l 7 0 7 20;"
	  "srtp a k 7 0 27 3; srtp a l 7 0 27 1", "7:27 ", 0, 0, 0, 3 },
	{ "a new key and a new SSRC", 'a', RTP_SOURCE_SDP,
	  "key k; srtp a k 7 0 1 3; key l; wait 300; srtp a l 8 0 1 3",
	  "7:3 8:3 ", 0, 0, 0, 0 },
	{ "the same key again goes on", 'a', RTP_SOURCE_SDP,
	  "key k; srtp a k 7 0 65530 12; key k; srtp a k 7 0 6 3", "7:15 ", 0,
	  0, 0, 0 },
	{ "plain, then a key", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 3; key k; rtp a 7 0 4 3; srtp a k 7 0 4 3", "7:6 ", 0,
	  0, 0, 3 },
	{ "a key, then plain", 'a', RTP_SOURCE_SDP,
	  "key k; srtp a k 7 0 1 3; key -; srtp a k 7 0 4 3; rtp a 7 0 7 3",
	  "7:9 ", 0, 0, 0, 0 },
	{ "kept until somebody is signalled", '-', RTP_SOURCE_SDP,
	  "key k; srtp a k 7 0 1 5; rtp a 9 0 6 1; move a; srtp a k 7 0 6 1",
	  "7:6 ", 0, 0, 0, 1 },
	{ "kept until a key is signalled, too", '-', RTP_SOURCE_SDP,
	  "srtp a k 7 0 1 5; key k; move a; srtp a k 7 0 6 1", "7:6 ", 0, 0, 0,
	  0 },

	{ "reports", 'a', RTP_SOURCE_SDP,
	  "key k; srtp a k 7 0 1 1; srtcp a k 80c9000100000007;"
	  "srtcp a l 80c9000100000007; rtcp a 80c9000100000007;"
	  "srtcp x k 80c9000100000007; srtcp a k 80c9000200000007", "7:1 ", 1,
	  1, 1, 2 },
};

static void test_rows(void **state)
{
	(void)state;
	play_rows(rows, ARRAY_LEN(rows));
}

/* With our own key; not at all without one. */
static void test_reports_are_encrypted(void **state)
{
	const struct srtp_key ours = key_of(1);
	struct srtp_in them = { 0 };
	struct srtp_plain plain;
	uint8_t got[256];

	(void)state;
	open_all();
	open_leg(&rows[0]);
	t.cfg.remote.rtcp = t.at[2];
	play("key k; srtp a k 7 0 1 3; wait 6000");
	assert_int_equal(recv(t.fd[2], got, sizeof(got), 0), -1);

	t.cfg.remote.our_key = ours;
	assert_int_equal(srtp_in_set(&them, &ours), 0);
	for (unsigned i = 1; i <= 2; i++) {
		play("same; wait 5000"); /* our key goes on, too */
		const ssize_t n = recv(t.fd[2], got, sizeof(got), 0);

		assert_true(n > 40);
		assert_int_equal(srtp_in_rtcp(&them, &plain, got, (size_t)n),
				 0);
		assert_int_equal(rtcp_check(plain.data, plain.len), 2);
		assert_memory_not_equal(plain.data + 8, got + 8, 20);
		assert_int_equal(plain.data[11], 7);
		assert_int_equal(plain.data[19], 3);
		assert_int_equal(got[n - 11], i); /* SRTCP index */
	}
	srtp_in_clear(&them);
	rtp_leg_close(t.leg, "bye");
	call_end(t.call, "bye");
	close_all();
}

/* A key that cannot be used leaves all as it was. */
static void test_a_key_that_cannot_be(void **state)
{
	struct rtp_leg *none = NULL;

	(void)state;
	open_all();
	open_leg(&rows[0]);
	play("key k; srtp a k 7 0 1 3");
	struct rtp_remote other = t.cfg.remote;
	other.at = t.at[2];
	other.key.suite = SRTP_SUITES;
	assert_int_equal(rtp_leg_update(t.leg, &other), -EINVAL);
	other = t.cfg.remote;
	other.at = t.at[2];
	other.our_key.suite = SRTP_SUITES;
	assert_int_equal(rtp_leg_update(t.leg, &other), -EINVAL);
	play("srtp x k 9 0 1 3; srtp a k 7 0 4 3");

	const unsigned used = rtp_ports_used(t.ports);
	t.cfg.remote.key.suite = SRTP_SUITES;
	assert_int_equal(rtp_leg_open(&none, &t.cfg), -EINVAL);
	assert_null(none);
	assert_int_equal(rtp_ports_used(t.ports), used);
	rtp_leg_close(t.leg, "bye");
	assert_string_equal(buf_str(&t.out), "7:6 ");
	call_end(t.call, "bye");
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_reports_are_encrypted),
		cmocka_unit_test(test_a_key_that_cannot_be),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
