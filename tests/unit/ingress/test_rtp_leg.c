/** @file test_rtp_leg.c  daemon/ingress/rtp_leg.c and rtp_leg_in.c; SRTP: test_rtp_leg_srtp.c */
#include "tests/unit/ingress/leg_script.h"

static const struct row rows[] = {
	{ "the signalled one", 'a', RTP_SOURCE_SDP, "rtp a 7 0 1 5", "7:5 ",
	  0, 0, 0, 0 },
	{ "its port is another", 'a', RTP_SOURCE_SDP, "rtp b 7 0 1 5", "7:5 ",
	  0, 0, 0, 0 },
	{ "then the other port is foreign", 'a', RTP_SOURCE_SDP,
	  "rtp b 7 0 1 5; rtp a 8 0 1 5; rtp b 7 0 6 1", "7:6 ", 5, 0, 0, 0 },
	{ "somebody else before, between, behind", 'a', RTP_SOURCE_SDP,
	  "rtp x 9 0 1 5; rtp a 7 0 1 2; rtp x 7 0 3 2; rtp a 7 0 3 2;"
	  "rtp x 9 0 1 6", "7:4 ", 13, 0, 0, 0 },
	{ "nobody was signalled", '-', RTP_SOURCE_SDP, "rtp a 7 0 1 5", "",
	  0, 0, 0, 0 },
	{ "signalled later: from its first packet on", '-', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 5; move a; rtp a 7 0 6 2", "7:7 ", 0, 0, 0, 0 },
	{ "signalled later, on another port", '-', RTP_SOURCE_SDP,
	  "rtp b 7 0 1 5; move a; rtp b 7 0 6 2; rtp a 8 0 1 4", "7:7 ", 4, 0,
	  0, 0 },
	{ "signalled later: others are forgotten", '-', RTP_SOURCE_SDP,
	  "rtp x 9 0 1 5; rtp a 7 0 1 3; rtp y 9 0 6 5; move a; rtp x 9 0 11 1;"
	  "rtp a 7 0 4 1", "7:4 ", 1, 0, 0, 0 },
	{ "signalled later, RTCP before", '-', RTP_SOURCE_SDP,
	  "rtcp a 80c9000100000007; rtp a 7 0 1 1; move a", "7:1 ", 1, 0, 0, 0 },
	{ "an unknown type locks nothing", 'a', RTP_SOURCE_SDP,
	  "rtp b 7 77 1 1; rtp a 7 0 1 2; rtp b 7 0 1 1", "7:2 ", 2, 0, 0, 0 },

	{ "learnt from four in order", '-', RTP_SOURCE_LEARN, "rtp x 7 0 1 6",
	  "7:6 ", 0, 0, 0, 0 },
	{ "three are not enough", '-', RTP_SOURCE_LEARN, "rtp x 7 0 1 3", "",
	  0, 0, 0, 0 },
	{ "the winner's only", '-', RTP_SOURCE_LEARN,
	  "rtp y 9 0 1 3; rtp x 7 0 1 2; rtp y 9 0 9 1; rtp x 7 0 3 3;"
	  "rtp y 9 0 10 6", "7:5 ", 6, 0, 0, 0 },
	{ "a hole begins anew", '-', RTP_SOURCE_LEARN,
	  "rtp x 7 0 1 3; rtp x 7 0 5 3", "", 0, 0, 0, 0 },
	{ "four within three seconds", '-', RTP_SOURCE_LEARN,
	  "rtp x 7 0 1 3; wait 2950; rtp x 7 0 4 1", "", 0, 0, 0, 0 },
	{ "the same again counts once", '-', RTP_SOURCE_LEARN,
	  "rtp x 7 0 1 2; rtp x 7 0 2 1; rtp x 7 0 2 1; rtp x 7 0 3 1", "",
	  0, 0, 0, 0 },
	{ "the signalled one at once", 'a', RTP_SOURCE_LEARN,
	  "rtp x 9 0 1 3; rtp a 7 0 1 1; rtp x 9 0 4 5; rtp a 7 0 2 1",
	  "7:2 ", 5, 0, 0, 0 },
	{ "unknown types teach nothing", '-', RTP_SOURCE_LEARN,
	  "rtp x 9 77 1 9; rtp y 7 0 1 4", "7:4 ", 9, 0, 0, 0 },
	{ "the same address said again changes nothing", '-', RTP_SOURCE_LEARN,
	  "rtp x 7 0 1 4; same; rtp y 9 0 1 9; rtp x 7 0 5 1", "7:5 ", 9, 0,
	  0, 0 },

	{ "moved: the old one until the new one speaks", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 2; move x; rtp a 7 0 3 1; rtp y 9 0 1 4;"
	  "rtp x 8 0 1 3; rtp a 7 0 4 1", "7:3 8:3 ", 5, 0, 0, 0 },
	{ "a new SSRC takes over", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 3; wait 500; rtp a 8 0 50 3", "7:3 8:3 ", 0, 0, 0, 0 },
	{ "one packet of another SSRC does not", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 3; rtp a 8 0 50 1; rtp a 7 0 4 3", "7:6 ", 0, 0, 0, 0 },
	{ "a second one beside the first is nobody's", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 1; rtp a 8 0 50 1; rtp a 7 0 2 1; rtp a 8 0 51 1;"
	  "rtp a 7 0 3 1", "7:3 ", 1, 0, 0, 0 },

	{ "no RTP from the beginning", 'a', RTP_SOURCE_SDP, "wait 5000",
	  "no_rtp@5000 ", 0, 0, 0, 0 },
	{ "silent, and back", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 2; wait 4979; wait 1; rtp a 7 0 3 1; wait 5000;",
	  "7:2 no_rtp@5020 rtp@5020 7:1 no_rtp@10020 ", 0, 0, 0, 0 },
	{ "foreign packets are not its own", 'a', RTP_SOURCE_SDP,
	  "wait 4900; rtp x 9 0 1 5", "no_rtp@5000 ", 5, 0, 0, 0 },
	{ "held: silence is expected", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 1; hold; wait 70000; rtp a 7 0 2 1", "7:2 ", 0, 0, 0, 0 },
	{ "resumed: it counts from then on", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 1; hold; wait 70000; resume; wait 4999; wait 1;"
	  "wait 54999; wait 1",
	  "7:1 no_rtp@75020 over@130020 ", 0, 0, 0, 0 },
	{ "over after a minute", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 1; wait 59979; wait 1; wait 100000",
	  "7:1 no_rtp@5000 over@60000 ", 0, 0, 0, 0 },
	{ "held: over after an hour", 'a', RTP_SOURCE_SDP,
	  "hold; wait 3599999; wait 1", "over@3600000 ", 0, 0, 0, 0 },
	{ "another codec is said", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 1; rtp a 7 77 2 49; rtp a 7 77 51 9", "7:1 codec@1000 ",
	  0, 0, 0, 0 },

	{ "neither RTP nor RTCP", 'a', RTP_SOURCE_SDP,
	  "raw a; raw a 80; raw a 8000000100000000000000; raw a 000100002112a442;"
	  "raw x 9000000100000000000000ff; raw a 800000010000000000000007;"
	  "rtcp a 800000010000000000000007", "", 2, 0, 5, 0 },
	{ "RTCP on both ports, theirs only", 'a', RTP_SOURCE_SDP,
	  "rtp a 7 0 1 1; rtcp a 80c9000100000007; raw b 80c9000100000007;"
	  "rtcp x 80c9000100000007; rtcp a 80c9000200000007", "7:1 ", 1, 2, 1, 0 },
};

static void test_rows(void **state)
{
	(void)state;
	play_rows(rows, ARRAY_LEN(rows));
}

/* -- reports ------------------------------------------------------------------------- */

static void test_reports_go_to_the_signalled_address_only(void **state)
{
	uint8_t got[256];

	(void)state;
	open_all();
	open_leg(&rows[0]);
	play("rtp a 7 0 1 3; wait 6000");
	for (unsigned i = 0; i < SENDERS; i++)
		assert_int_equal(recv(t.fd[i], got, sizeof(got), 0), -1);

	t.cfg.remote.rtcp = t.at[2];
	rtp_leg_update(t.leg, &t.cfg.remote);
	play("wait 5000");
	assert_int_equal(recv(t.fd[0], got, sizeof(got), 0), -1);
	const ssize_t n = recv(t.fd[2], got, sizeof(got), 0);
	assert_true(n > 40);
	assert_true(rtcp_check(got, (size_t)n) == 2);
	assert_int_equal(got[1], 201);
	assert_int_equal(got[11], 7);          /* the source */
	assert_int_equal(got[19], 3);          /* highest sequence number */
	assert_int_equal(recv(t.fd[2], got, sizeof(got), 0), -1);
	rtp_leg_close(t.leg, "bye");
	call_end(t.call, "bye");
	close_all();
}

static void test_the_next_pair_when_one_is_somebody_elses(void **state)
{
	struct rtp_ports *two;
	struct sockaddr_storage sa;
	struct addr odd;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	open_all();
	/* the odd one of the first pair is taken */
	odd = t.at[0];
	odd.port = FIRST + 1;
	const socklen_t n = addr_to_sockaddr(&sa, &odd);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, n), 0);
	assert_int_equal(rtp_ports_new(&two, &odd, FIRST, FIRST + 3, t.timers),
			 0);
	rtp_ports_free(t.ports);
	t.ports = two;
	open_leg(&rows[0]);
	assert_int_equal(rtp_leg_address(t.leg).port, FIRST + 2);

	struct rtp_leg *none = NULL;
	/* chance says whether the other pair was tried before and rests */
	const int err = rtp_leg_open(&none, &t.cfg);
	assert_true(err == -EADDRINUSE || err == -EADDRNOTAVAIL);
	assert_int_equal(rtp_leg_open(&none, &t.cfg), -EADDRNOTAVAIL);
	assert_non_null(strstr(rtp_leg_trouble(-EADDRINUSE), "other ports"));
	assert_null(none);
	/* the call ends, and with it the leg */
	call_end(t.call, "bye");
	assert_true(t.ended);
	rtp_leg_close(t.leg, NULL);
	assert_int_equal(rtp_ports_used(t.ports), 0);
	close(fd);
	close_all();
}

/* Its own pairs are left alone, and the port behind it, too. */
static void test_a_port_that_is_dictated(void **state)
{
	struct sockaddr_storage sa;
	struct rtp_leg *dictated, *none = NULL;
	struct addr behind;
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	open_all();
	open_leg(&rows[0]);
	t.cfg.port = LAST + 101;
	t.cfg.ports = NULL;
	behind = t.at[0];
	behind.port = LAST + 102;
	const socklen_t n = addr_to_sockaddr(&sa, &behind);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, n), 0);
	assert_int_equal(rtp_leg_open(&dictated, &t.cfg), 0);
	assert_int_equal(rtp_leg_address(dictated).port, LAST + 101);
	assert_int_equal(rtp_leg_open(&none, &t.cfg), -EADDRINUSE);
	assert_null(none);
	assert_int_equal(rtp_ports_used(t.ports), 1);
	rtp_leg_close(dictated, "bye");
	assert_int_equal(rtp_leg_open(&dictated, &t.cfg), 0);
	rtp_leg_close(dictated, "bye");
	rtp_leg_close(t.leg, "bye");
	assert_int_equal(rtp_ports_used(t.ports), 0);
	call_end(t.call, "bye");
	close(fd);
	close_all();
}

/* Longer than is kept: its newest part is. */
static void test_early_ones_are_bounded(void **state)
{
	struct rtp_leg_stats s;

	(void)state;
	open_all();
	open_leg(&(struct row){ .signalled = '-', .source = RTP_SOURCE_SDP });
	play("rtp x 9 0 1 300; rtp a 7 0 1 300; move a");
	rtp_leg_stats(t.leg, &s);
	assert_int_equal(s.dropped, 88);
	assert_int_equal(s.foreign, 0);
	rtp_leg_close(t.leg, "bye");
	assert_string_equal(buf_str(&t.out), "no_rtp@5000 rtp@12000 7:256 ");
	call_end(t.call, "bye");
	close_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_reports_go_to_the_signalled_address_only),
		cmocka_unit_test(test_early_ones_are_bounded),
		cmocka_unit_test(test_the_next_pair_when_one_is_somebody_elses),
		cmocka_unit_test(test_a_port_that_is_dictated),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
