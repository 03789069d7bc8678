/** @file test_tap.c  daemon/ingress/tap*.c with real calls behind it, no ASR */
#include "tests/unit/ingress/tap_script.h"

#define A "10.0.0.1:4000"
#define B "10.0.0.2:5000"
/* an INVITE at 0, answered at 100: alice at A, bob at B */
#define CALL(id) \
	"0 INVITE " id " f - 1 " A "/0,8\n" \
	"100 200 " id " f t 1 " B "/0\n"

struct row {
	const char *name;
	const char *script;
	const char *want;
};

static const struct row announced[] = {
	{ "two parties, BYE by the caller",
	  CALL("c")
	  "200 rtp " A ">" B " 1 0 10 50\n"
	  "210 rtp " B ">" A " 2 0 90 50\n"
	  "1300 BYE c f t 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "+C1.2 agent PCMU " B ">" A " 2\n"
	  "-C1.1 bye 8000 of 1\n"
	  "-C1.2 bye 8000 of 2\n"
	  "-C1 bye\n" },
	{ "BYE by the callee",
	  CALL("c")
	  "200 rtp " A ">" B " 1 0 10 5\n"
	  "1300 BYE c t f 77\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n"
	  "-C1 bye\n" },
	{ "over TCP, in pieces",
	  "0 tcp:INVITE c f - 1 " A "/0\n"
	  "100 tcp:200 c f t 1 " B "/0\n"
	  "200 rtp " A ">" B " 1 0 10 5\n"
	  "1300 tcp:BYE c f t 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n"
	  "-C1 bye\n" },
	{ "what is under way at the BYE, and what is not",
	  CALL("c")
	  "200 rtp " A ">" B " 1 0 10 60\n"
	  "1300 BYE c f t 2\n"
	  "1900 rtp " A ">" B " 1 0 95 1\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 9600 of 1\n"
	  "-C1 bye\n" },
	{ "a BYE that nobody obeys ends it 5 s later",
	  CALL("c")
	  "200 rtp " A ">" B " 1 0 0 400\n"
	  "1000 BYE c f t 2\n9000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 46400 of 1\n" /* the last one at 5,980 ms */
	  "-C1 bye\n" },
	{ "early media, before the answer told where",
	  "0 INVITE c f - 1 " A "/0\n"
	  "100 rtp " B ">" A " 2 0 0 10\n"
	  "100 rtp " A ">" B " 1 0 0 10\n"
	  "400 200 c f t 1 " B "/0\n"
	  "500 rtp " A ">" B " 1 0 20 10\n"
	  "800 BYE c f t 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 agent PCMU " B ">" A " 2\n"
	  "+C1.2 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 1600 of 2\n"
	  "C1.2 loss 200\n"
	  "-C1.2 bye 3200 of 1\n"
	  "-C1 bye\n" },
	{ "401, then with the password: one call",
	  "0 INVITE c f - 1 " A "/0\n"
	  "50 401 c f x 1\n60 ACK c f x 1\n"
	  "100 INVITE c f - 2 " A "/0\n"
	  "200 200 c f t 2 " B "/0\n"
	  "300 rtp " A ">" B " 1 0 0 5\n"
	  "500 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n" },
	{ "422, then with another timer; it rings for long",
	  "0 INVITE c f - 1 " A "/0\n"
	  "50 422 c f x 1\n60 ACK c f x 1\n"
	  "100 INVITE c f - 2 " A "/0\n"
	  "20000 200 c f t 2 " B "/0\n"
	  "20100 rtp " A ">" B " 1 0 0 5\n"
	  "20300 BYE c f t 3\n25000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n" },
	{ "one of two forks is busy, the other rings for long",
	  "0 INVITE c f - 1 " A "/0\n"
	  "1000 486 c f x 1\n"
	  "20000 200 c f t 1 " B "/0\n"
	  "20100 rtp " A ">" B " 1 0 0 5\n"
	  "20300 BYE c f t 2\n25000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n" },
	{ "no answer, and the proxy tries another",
	  "0 INVITE c f - 1 " A "/0\n"
	  "15000 CANCEL c f - 1\n15010 487 c f x 1\n"
	  "15100 INVITE c f - 1 " A "/0\n"
	  "20000 200 c f t 1 " B "/0\n"
	  "20100 rtp " A ">" B " 1 0 0 5\n"
	  "20300 BYE c f t 2\n25000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n" },
	{ "two hops of a proxy, both seen",
	  "0 INVITE c f - 1 " A "/0\n"
	  "10 INVITE c f - 1 10.0.0.9:9000/0\n"
	  "100 200 c f t 1 " B "/0\n"
	  "110 200 c f t 1 10.0.0.9:9002/0\n"
	  "200 rtp " A ">10.0.0.9:9002 1 0 0 50\n"
	  "201 rtp 10.0.0.9:9000>" B " 1 0 0 50\n"
	  "200 rtp " B ">10.0.0.9:9000 2 0 0 50\n"
	  "201 rtp 10.0.0.9:9002>" A " 2 0 0 50\n"
	  "1300 BYE c f t 2\n1310 BYE c f t 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">10.0.0.9:9002 1\n"
	  "+C1.2 agent PCMU " B ">10.0.0.9:9000 2\n"
	  "-C1.1 bye 8000 of 1\n-C1.2 bye 8000 of 2\n-C1 bye\n" },
	{ "CANCEL",
	  "0 INVITE c f - 1 " A "/0\n100 180 c f t 1\n"
	  "500 CANCEL c f - 1\n510 200:CANCEL c f t 1\n520 487 c f t 1\n"
	  "600 rtp " B ">" A " 2 0 0 2\n9000 wait",
	  "" },
	{ "CANCEL of a call with early media",
	  "0 INVITE c f - 1 " A "/0\n"
	  "100 183 c f t 1 " B "/0\n"
	  "200 rtp " B ">" A " 2 0 0 10\n"
	  "500 CANCEL c f - 1\n510 487 c f t 1\n9000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 agent PCMU " B ">" A " 2\n"
	  "-C1.1 cancel 1600 of 2\n-C1 cancel\n" },
	{ "486",
	  "0 INVITE c f - 1 " A "/0\n100 486 c f t 1\n9000 wait\n9000 end",
	  "" },
	{ "486 behind a busy tone",
	  "0 INVITE c f - 1 " A "/0\n"
	  "100 183 c f t 1 " B "/0\n"
	  "200 rtp " B ">" A " 2 0 0 10\n500 486 c f t 1\n9000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 agent PCMU " B ">" A " 2\n"
	  "-C1.1 rejected 1600 of 2\n-C1 rejected\n" },
	{ "answered, and no audio ever",
	  CALL("c") "500 BYE c f t 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n-C1 bye\n" },
	{ "late offer: SDP in the 200 and the ACK",
	  "0 INVITE c f - 1\n100 200 c f t 1 " B "/0\n"
	  "150 ACK c f t 1 " A "/0\n"
	  "200 rtp " A ">" B " 1 0 0 5\n200 rtp " B ">" A " 2 0 0 5\n"
	  "400 BYE c f t 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "+C1.2 agent PCMU " B ">" A " 2\n"
	  "-C1.1 bye 800 of 1\n-C1.2 bye 800 of 2\n-C1 bye\n" },
	{ "the capture began behind the INVITE",
	  "100 200 c f t 1 " B "/0\n"
	  "200 rtp " A ">" B " 1 0 0 5\n"
	  "400 BYE c f t 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n" },
	{ "re-INVITE with a new port",
	  CALL("c")
	  "200 rtp " B ">" A " 2 0 0 10\n"
	  "400 INVITE c f t 2 10.0.0.1:4444/0\n"
	  "420 200 c f t 2 " B "/0\n"
	  "400 rtp " B ">10.0.0.1:4444 2 0 10 10\n"
	  "700 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 agent PCMU " B ">" A " 2\n"
	  "-C1.1 bye 3200 of 2\n-C1 bye\n" },
	{ "re-INVITE by the callee moves the callee",
	  CALL("c")
	  "200 rtp " A ">" B " 1 0 0 10\n"
	  "390 INVITE c t f 1 10.0.0.2:5555/0\n"
	  "395 200 c t f 1 " A "/0\n"
	  "400 rtp " A ">10.0.0.2:5555 1 0 10 10\n"
	  "700 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 3200 of 1\n-C1 bye\n" },
	{ "hold by 0.0.0.0, and back",
	  CALL("c")
	  "200 rtp " A ">" B " 1 0 0 10\n"
	  "400 INVITE c f t 2 0.0.0.0:4000/0\n"
	  "420 200 c f t 2 " B "/0\n"
	  "3000 INVITE c f t 3 " A "/0\n3020 200 c f t 3 " B "/0\n"
	  "3200 rtp " A ">" B " 1 0 150 10\n"
	  "3500 BYE c f t 4\n5000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "C1.1 loss 2800\n"
	  "-C1.1 bye 3200 of 1\n-C1 bye\n" },
	{ "a Call-ID used again after its BYE",
	  CALL("c")
	  "200 rtp " A ">" B " 1 0 0 5\n400 BYE c f t 2\n"
	  "3000 INVITE c f - 3 " A "/0\n3100 200 c f u 3 " B "/0\n"
	  "3200 rtp " A ">" B " 3 0 0 5\n3400 BYE c f u 4\n6000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n"
	  "+C2 alice@example.net>bob@example.net\n"
	  "+C2.1 caller PCMU " A ">" B " 3\n"
	  "-C2.1 bye 800 of 3\n-C2 bye\n" },
	{ "... and at once",
	  CALL("c")
	  "200 rtp " A ">" B " 1 0 0 5\n400 BYE c f t 2\n"
	  "410 INVITE c f - 3 " A "/0\n510 200 c f u 3 " B "/0\n"
	  "900 rtp " A ">" B " 3 0 0 5\n2400 BYE c f u 4\n6000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n"
	  "+C2 alice@example.net>bob@example.net\n"
	  "+C2.1 caller PCMU " A ">" B " 3\n"
	  "-C2.1 bye 800 of 3\n-C2 bye\n" },
	{ "an INVITE sent again after the BYE is no call",
	  CALL("c") "400 BYE c f t 2\n"
	  "2000 INVITE c f - 1 " A "/0\n6000 wait\n6000 end",
	  "+C1 alice@example.net>bob@example.net\n-C1 bye\n" },
	{ "two calls with one Call-ID and tags of their own",
	  "0 INVITE c f - 1 " A "/0\n10 INVITE c g - 1 10.0.0.3:4000/0\n"
	  "100 200 c f t 1 " B "/0\n100 200 c g u 1 10.0.0.4:5000/0\n"
	  "200 rtp " A ">" B " 1 0 0 5\n"
	  "200 rtp 10.0.0.3:4000>10.0.0.4:5000 3 0 0 5\n"
	  "400 BYE c u g 9\n1500 BYE c f t 2\n5000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C2 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "+C2.1 caller PCMU 10.0.0.3:4000>10.0.0.4:5000 3\n"
	  "-C2.1 bye 800 of 3\n-C2 bye\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n" },
	{ "two calls to one destination port",
	  "0 INVITE c f - 1 " A "/0\n1 INVITE d g - 1 10.0.0.3:4000/0\n"
	  "100 200 c f t 1 " B "/0\n101 200 d g u 1 " B "/0\n"
	  "200 rtp " A ">" B " 1 0 0 5\n"
	  "201 rtp 10.0.0.3:4000>" B " 3 0 0 5\n"
	  "400 BYE c f t 2\n401 BYE d g u 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C2 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "+C2.1 caller PCMU 10.0.0.3:4000>" B " 3\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n-C2.1 bye 800 of 3\n-C2 bye\n" },
	{ "... and a source neither announced: the newest has it",
	  "0 INVITE c f - 1 " A "/0\n1 INVITE d g - 1 10.0.0.3:4000/0\n"
	  "100 200 c f t 1 " B "/0\n101 200 d g u 1 " B "/0\n"
	  "200 rtp 10.0.0.77:7777>" B " 3 0 0 5\n"
	  "400 BYE c f t 2\n401 BYE d g u 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C2 alice@example.net>bob@example.net\n"
	  "+C2.1 caller PCMU 10.0.0.77:7777>" B " 3\n"
	  "-C1 bye\n-C2.1 bye 800 of 3\n-C2 bye\n" },
	{ "the same 5-tuple in a later call",
	  CALL("c")
	  "200 rtp " A ">" B " 1 0 0 5\n400 BYE c f t 2\n"
	  "1000 INVITE d g - 1 " A "/0\n1100 200 d g u 1 " B "/0\n"
	  "1200 rtp " A ">" B " 3 0 0 5\n1400 BYE d g u 2\n5000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n"
	  "+C2 alice@example.net>bob@example.net\n"
	  "+C2.1 caller PCMU " A ">" B " 3\n"
	  "-C2.1 bye 800 of 3\n-C2 bye\n" },
	{ "what comes after the end is nobody's",
	  CALL("c")
	  "200 rtp " A ">" B " 1 0 0 5\n400 BYE c f t 2\n"
	  "2000 rtp " A ">" B " 1 0 90 50\n5000 wait\n5000 end",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n" },
	{ "the capture ends",
	  CALL("c") "200 rtp " A ">" B " 1 0 0 5\n400 end",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 capture_end 800 of 1\n-C1 capture_end\n" },
	{ "... just behind the BYE",
	  CALL("c") "200 rtp " A ">" B " 1 0 0 5\n390 BYE c f t 2\n400 end",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n" },
	{ "silence for an hour",
	  CALL("c") "200 rtp " A ">" B " 1 0 0 5\n"
	  "3600000 wait\n3600300 wait\n3700000 end",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 rtp_timeout 800 of 1\n-C1 rtp_timeout\n" },
	{ "answered; what the other forks say changes nothing",
	  CALL("c") "150 486 c f x 1\n160 CANCEL c f - 1\n170 487 c f y 1\n"
	  "200 rtp " A ">" B " 1 0 0 400\n8100 BYE c f t 2\n9000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 64000 of 1\n-C1 bye\n" },
	{ "it rings for minutes, and somebody says so",
	  "0 INVITE c f - 1 " A "/0\n200000 180 c f t 1\n"
	  "400000 200 c f t 1 " B "/0\n"
	  "400100 rtp " A ">" B " 1 0 0 5\n400300 BYE c f t 2\n405000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n" },
	{ "a recorder's caller is neither party: both are on its one line",
	  CALL("rec1") "200 rtp " A ">" B " 1 0 0 5\n"
	  "400 BYE rec1 f t 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 mixed PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n" },
	{ "a call's name end to end",
	  CALL("sid1") "200 rtp " A ">" B " 1 0 0 5\n"
	  "400 BYE sid1 f t 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net ab;remote=cd\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n" },
	{ "two lines that are only sent are two parties",
	  "0 INVITE c f - 1 " A "/0^ 10.0.0.1:4002/8^\n"
	  "100 200 c f t 1 " B "/0 10.0.0.2:5002/8\n"
	  "200 rtp " A ">" B " 1 0 0 5\n"
	  "200 rtp 10.0.0.1:4002>10.0.0.2:5002 2 8 0 5\n"
	  "400 BYE c f t 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "+C1.2 agent PCMA 10.0.0.1:4002>10.0.0.2:5002 2\n"
	  "-C1.1 bye 800 of 1\n-C1.2 bye 800 of 2\n-C1 bye\n" },
	{ "one that is only sent is the caller's",
	  "0 INVITE c f - 1 " A "/0^\n100 200 c f t 1 " B "/0\n"
	  "200 rtp " A ">" B " 1 0 0 5\n400 BYE c f t 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n" },
	{ "two m-lines are two pairs of legs",
	  "0 INVITE c f - 1 " A "/0 10.0.0.1:4002/8\n"
	  "100 200 c f t 1 " B "/0 10.0.0.2:5002/8\n"
	  "200 rtp " A ">" B " 1 0 0 5\n"
	  "201 rtp 10.0.0.1:4002>10.0.0.2:5002 3 8 0 5\n"
	  "400 BYE c f t 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "+C1.2 caller PCMA 10.0.0.1:4002>10.0.0.2:5002 3\n"
	  "-C1.1 bye 800 of 1\n-C1.2 bye 800 of 3\n-C1 bye\n" },
};


/* SSRCs, payload types, keys: what of an announced call is its audio. */
static const struct row media[] = {
	{ "SRTP by its SDP",
	  "0 INVITE c f - 1 " A "/0!\n100 200 c f t 1 " B "/0!\n"
	  "200 rtp " A ">" B " 1 0 0 5\n400 BYE c f t 2\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "C1.1 state encrypted\n"
	  "-C1.1 bye 0\n-C1 bye\n" },
	{ "ZRTP, and a session refresh",
	  CALL("c")
	  "200 rtp " A ">" B " 1 0 0 5\n"
	  "300 zrtp " A ">" B "\n"
	  "310 rtp " A ">" B " 1 0 5 5\n310 rtp " B ">" A " 2 0 0 5\n"
	  "500 INVITE c f t 2 " A "/0,8\n510 200 c f t 2 " B "/0\n"
	  "600 rtp " A ">" B " 1 0 10 5\n600 rtp " B ">" A " 2 0 9 5\n"
	  "800 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "C1.1 state encrypted\n"
	  "+C1.2 agent PCMU " B ">" A " 2\n"
	  "C1.2 state encrypted\n"
	  "-C1.1 bye 800 of 1\n-C1.2 bye 0\n-C1 bye\n" },
	{ "ZRTP on one of two m-lines, before and after its first packet",
	  "0 INVITE c f - 1 " A "/0 10.0.0.1:4002/0\n"
	  "100 200 c f t 1 " B "/0 10.0.0.2:5002/0\n"
	  "200 rtp " A ">" B " 1 0 0 10\n"
	  "200 rtp 10.0.0.1:4002>10.0.0.2:5002 3 0 0 10\n"
	  "299 zrtp " A ">" B "\n"
	  "300 rtp " B ">" A " 2 0 0 5\n"
	  "300 rtp 10.0.0.2:5002>10.0.0.1:4002 4 0 0 5\n"
	  "600 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "+C1.2 caller PCMU 10.0.0.1:4002>10.0.0.2:5002 3\n"
	  "C1.1 state encrypted\n"
	  "+C1.3 agent PCMU " B ">" A " 2\n"
	  "C1.3 state encrypted\n"
	  "+C1.4 agent PCMU 10.0.0.2:5002>10.0.0.1:4002 4\n"
	  "-C1.1 bye 800 of 1\n-C1.2 bye 1600 of 3\n"
	  "-C1.3 bye 0\n-C1.4 bye 800 of 4\n-C1 bye\n" },
	{ "SRTP from a re-INVITE on, and back",
	  CALL("c") "200 rtp " A ">" B " 1 0 0 5\n"
	  "310 INVITE c f t 2 " A "/0!\n320 200 c f t 2 " B "/0!\n"
	  "330 rtp " A ">" B " 1 0 6 5\n"
	  "510 INVITE c f t 3 " A "/0\n520 200 c f t 3 " B "/0\n"
	  "530 rtp " A ">" B " 1 0 16 5\n"
	  "700 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "C1.1 state encrypted\n"
	  "-C1.1 encrypted 800 of 1\n"
	  "+C1.2 caller PCMU " A ">" B " 1\n"
	  "-C1.2 bye 800 of 1\n-C1 bye\n" },
	{ "G.729, then PCMU at the same address",
	  "0 INVITE c f - 1 " A "/18=G729\n100 200 c f t 1 " B "/18=G729\n"
	  "200 rtp " A ">" B " 1 18 0 5\n"
	  "400 INVITE c f t 2 " A "/0=PCMU\n410 200 c f t 2 " B "/0=PCMU\n"
	  "420 rtp " A ">" B " 1 0 11 5\n600 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller G729 " A ">" B " 1\n"
	  "C1.1 state codec\n"
	  "-C1.1 codec 0\n"
	  "+C1.2 caller PCMU " A ">" B " 1\n"
	  "-C1.2 bye 800 of 1\n-C1 bye\n" },
	{ "a payload type gets another meaning at the same address",
	  "0 INVITE c f - 1 " A "/96=opus\n100 200 c f t 1 " B "/96=opus\n"
	  "200 rtp " A ">" B " 1 96 0 5\n"
	  "400 INVITE c f t 2 " A "/96=PCMU\n410 200 c f t 2 " B "/96=PCMU\n"
	  "420 rtp " A ">" B " 1 96 11 5\n600 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller opus " A ">" B " 1\n"
	  "C1.1 state codec\n"
	  "-C1.1 codec 0\n"
	  "+C1.2 caller PCMU " A ">" B " 1\n"
	  "-C1.2 bye 800 of 1\n-C1 bye\n" },
	{ "PCMU, a second of G.729, PCMU again",
	  "0 INVITE c f - 1 " A "/0,18\n100 200 c f t 1 " B "/0,18\n"
	  "200 rtp " A ">" B " 1 0 0 5\n"
	  "300 rtp " A ">" B " 1 18 5 50\n"
	  "1300 rtp " A ">" B " 1 0 55 5\n1500 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "C1.1 state codec\n"
	  "-C1.1 codec 800 of 1\n"
	  "+C1.2 caller PCMU " A ">" B " 1\n"
	  "-C1.2 bye 800 of 1\n-C1 bye\n" },
	{ "a few packets of another codec are silence, not loss",
	  "0 INVITE c f - 1 " A "/0,18\n100 200 c f t 1 " B "/0,18\n"
	  "200 rtp " A ">" B " 1 0 0 5\n"
	  "300 rtp " A ">" B " 1 18 5 10\n"
	  "500 rtp " A ">" B " 1 0 15 5\n700 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 1600 of 1\n-C1 bye\n" },
	{ "PCMU at another clock, L16 in stereo, are other codecs",
	  "0 INVITE c f - 1 " A "/96=PCMU/16000,97=L16/8000/2,98=L16\n"
	  "100 200 c f t 1 " B "/96=PCMU/16000,97=L16/8000/2,98=L16\n"
	  "200 rtp " A ">" B " 1 96 0 5\n300 rtp " B ">" A " 2 97 0 5\n"
	  "600 BYE c f t 3\n5000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\nC1.1 state codec\n"
	  "+C1.2 agent L16 " B ">" A " 2\nC1.2 state codec\n"
	  "-C1.1 bye 0\n-C1.2 bye 0\n-C1 bye\n" },
	{ "a codec in between, again and again",
	  "0 INVITE c f - 1 " A "/0,18\n100 200 c f t 1 " B "/0,18\n"
	  "200 rtp " A ">" B " 1 0 0 1\n"
	  "220 rtp " A ">" B " 1 18 1 49\n1200 rtp " A ">" B " 1 0 50 1\n"
	  "1220 rtp " A ">" B " 1 18 51 49\n2200 rtp " A ">" B " 1 0 100 1\n"
	  "2300 BYE c f t 3\n5000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 480 of 1\n-C1 bye\n" },
	{ "digits of a leg that has another codec now",
	  "0 INVITE c f - 1 " A "/0,18,101=telephone-event\n"
	  "100 200 c f t 1 " B "/0,18,101=telephone-event\n"
	  "200 rtp " A ">" B " 1 0 0 5\n300 rtp " A ">" B " 1 18 5 60\n"
	  "1500 rtp " A ">" B " 1 101 65 6\n"
	  "1700 BYE c f t 3\n5000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "C1.1 state codec\n"
	  "-C1.1 bye 800 of 1\n-C1 bye\n" },
	{ "PCMA and PCMU in turn",
	  CALL("c") "200 rtp " A ">" B " 1 0 0 5\n"
	  "300 rtp " A ">" B " 1 8 5 5\n400 rtp " A ">" B " 1 0 10 5\n"
	  "600 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "C1.1 codec\n"
	  "-C1.1 bye 2400 of 1\n-C1 bye\n" },
	{ "a new SSRC, the old one silent",
	  CALL("c") "200 rtp " A ">" B " 1 0 0 5\n"
	  "300 rtp " A ">" B " 5 0 700 5\n500 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "C1.1 ssrc\n"
	  "-C1.1 bye 1600 of 1,5\n-C1 bye\n" },
	{ "one packet of another SSRC",
	  CALL("c") "200 rtp " A ">" B " 1 0 0 10\n"
	  "305 rtp " A ">" B " 5 0 700 1\n500 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 1600 of 1\n-C1 bye\n" },
	{ "single packets of many SSRCs, then a new one that stays",
	  CALL("c") "200 rtp " A ">" B " 1 0 0 5\n"
	  "301 rtp " A ">" B " 21 0 50 1\n302 rtp " A ">" B " 22 0 50 1\n"
	  "303 rtp " A ">" B " 23 0 50 1\n304 rtp " A ">" B " 24 0 50 1\n"
	  "305 rtp " A ">" B " 25 0 50 1\n306 rtp " A ">" B " 26 0 50 1\n"
	  "320 rtp " A ">" B " 25 0 60 1\n"
	  "330 rtp " A ">" B " 5 0 700 5\n500 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "C1.1 ssrc\n"
	  "-C1.1 bye 1600 of 1,5\n-C1 bye\n" },
	{ "three live SSRCs, and more than there is room for",
	  CALL("c") "200 rtp " A ">" B " 1 0 0 40\n"
	  "410 rtp " A ">" B " 2 0 700 10\n411 rtp " A ">" B " 3 0 700 10\n"
	  "412 rtp " A ">" B " 4 0 700 10\n413 rtp " A ">" B " 5 0 700 10\n"
	  "1100 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "+C1.2 caller PCMU " A ">" B " 2\n"
	  "+C1.3 caller PCMU " A ">" B " 3\n"
	  "+C1.4 caller PCMU " A ">" B " 4\n"
	  "-C1.1 bye 6400 of 1\n-C1.2 bye 1600 of 2\n"
	  "-C1.3 bye 1600 of 3\n-C1.4 bye 1600 of 4\n-C1 bye\n" },
	{ "two live SSRCs on one 5-tuple",
	  CALL("c") "200 rtp " A ">" B " 1 0 0 20\n"
	  "310 rtp " A ">" B " 5 0 700 10\n700 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "+C1.2 caller PCMU " A ">" B " 5\n"
	  "-C1.1 bye 3200 of 1\n-C1.2 bye 1600 of 5\n-C1 bye\n" },
	{ "digits with an SSRC of their own",
	  "0 INVITE c f - 1 " A "/0,101=telephone-event\n"
	  "100 200 c f t 1 " B "/0,101=telephone-event\n"
	  "200 rtp " A ">" B " 1 0 0 10\n"
	  "305 rtp " A ">" B " 9 101 700 6\n500 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 1600 of 1\n-C1 bye\n" },
	{ "digits and noise open nothing",
	  "0 INVITE c f - 1 " A "/0,101=telephone-event\n"
	  "100 200 c f t 1 " B "/0,101=telephone-event\n"
	  "200 rtp " A ">" B " 9 101 700 6\n"
	  "200 rtp " B ">" A " 8 13 700 6\n500 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n-C1 bye\n" },
	{ "somebody else sends there, too",
	  CALL("c") "200 rtp " A ">" B " 1 0 0 20\n"
	  "205 rtp 10.6.6.6:6666>" B " 66 0 0 20\n"
	  "700 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU " A ">" B " 1\n"
	  "-C1.1 bye 3200 of 1\n-C1 bye\n" },
	{ "the source moves (NAT)",
	  CALL("c") "200 rtp 10.7.0.1:7000>" B " 1 0 0 5\n"
	  "1000 rtp 10.7.0.1:7001>" B " 1 0 5 5\n"
	  "1400 BYE c f t 3\n3000 wait",
	  "+C1 alice@example.net>bob@example.net\n"
	  "+C1.1 caller PCMU 10.7.0.1:7000>" B " 1\n"
	  "-C1.1 bye 1600 of 1\n-C1 bye\n" },
};

/* Nobody announced it. */
static const struct row unannounced[] = {
	{ "four packets are a call",
	  "0 rtp " A ">" B " 1 0 65534 4\n500 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\n"
	  "-C1.1 capture_end 640 of 1\n-C1 capture_end\n" },
	{ "three are not", "0 rtp " A ">" B " 1 0 0 3\n500 end", "" },
	{ "a gap begins anew",
	  "0 rtp " A ">" B " 1 0 0 3\n80 rtp " A ">" B " 1 0 4 4\n500 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\n"
	  "-C1.1 capture_end 640 of 1\n-C1 capture_end\n" },
	{ "duplicates count once",
	  "0 rtp " A ">" B " 1 0 0 2\n25 rtp " A ">" B " 1 0 1 3\n500 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\n"
	  "-C1.1 capture_end 640 of 1\n-C1 capture_end\n" },
	{ "one packet again and again is none",
	  "0 rtp " A ">" B " 1 0 7 40 0\n900 end", "" },
	{ "another type takes a number",
	  "0 rtp " A ">" B " 1 0 0 2\n40 rtp " A ">" B " 1 101 2\n"
	  "60 rtp " A ">" B " 1 0 3 4\n500 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\n"
	  "-C1.1 capture_end 640 of 1\n-C1 capture_end\n" },
	{ "another type of another SSRC does not",
	  "0 rtp " A ">" B " 1 0 0 4\n30 rtp " A ">" B " 9 101 2\n500 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\n"
	  "-C1.1 capture_end 640 of 1\n-C1 capture_end\n" },
	{ "another codec is nothing",
	  "0 rtp " A ">" B " 1 18 0 40\n0 rtp " B ">" A " 2 96 0 40\n"
	  "900 end", "" },
	{ "A-law, and backwards in numbers once",
	  "0 rtp " A ">" B " 1 8 9 1\n5 rtp " A ">" B " 1 8 3 1\n"
	  "20 rtp " A ">" B " 1 8 10 5\n500 end",
	  "+C1 >\n+C1.1 unknown PCMA " A ">" B " 1\n"
	  "-C1.1 capture_end 800 of 1\n-C1 capture_end\n" },
	{ "the reverse direction joins",
	  "0 rtp " A ">" B " 1 0 0 20\n200 rtp " B ">" A " 2 0 0 10\n"
	  "500 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\n"
	  "+C1.2 unknown PCMU " B ">" A " 2\n"
	  "-C1.1 capture_end 3200 of 1\n-C1.2 capture_end 1600 of 2\n"
	  "-C1 capture_end\n" },
	{ "other ports are other calls",
	  "0 rtp " A ">" B " 1 0 0 5\n5 rtp 10.0.0.1:4002>" B " 1 0 0 5\n"
	  "500 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\n"
	  "+C2 >\n+C2.1 unknown PCMU 10.0.0.1:4002>" B " 1\n"
	  "-C1.1 capture_end 800 of 1\n-C1 capture_end\n"
	  "-C2.1 capture_end 800 of 1\n-C2 capture_end\n" },
	{ "a minute without RTP",
	  "0 rtp " A ">" B " 1 0 0 5\n60000 wait\n60100 wait\n"
	  "90000 rtp " A ">" B " 1 0 5 5\n95000 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\n"
	  "-C1.1 rtp_timeout 800 of 1\n-C1 rtp_timeout\n"
	  "+C2 >\n+C2.1 unknown PCMU " A ">" B " 1\n"
	  "-C2.1 capture_end 800 of 1\n-C2 capture_end\n" },
	{ "59 s are none",
	  "0 rtp " A ">" B " 1 0 0 5\n59000 rtp " A ">" B " 1 0 5 5\n"
	  "100000 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\n"
	  "-C1.1 capture_end 1600 of 1\n-C1 capture_end\n" },
	{ "a new SSRC",
	  "0 rtp " A ">" B " 1 0 0 5\n100 rtp " A ">" B " 5 0 90 5\n500 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\nC1.1 ssrc\n"
	  "-C1.1 capture_end 1600 of 1,5\n-C1 capture_end\n" },
	{ "a second SSRC beside the first",
	  "0 rtp " A ">" B " 1 0 0 20\n110 rtp " A ">" B " 5 0 90 10\n"
	  "500 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\n"
	  "+C1.2 unknown PCMU " A ">" B " 5\n"
	  "-C1.1 capture_end 3200 of 1\n-C1.2 capture_end 1600 of 5\n"
	  "-C1 capture_end\n" },
	{ "two SSRCs in turn from the beginning",
	  "0 rtp " A ">" B " 1 0 0 20\n10 rtp " A ">" B " 5 0 90 20\n"
	  "500 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\n"
	  "+C1.2 unknown PCMU " A ">" B " 5\n"
	  "-C1.1 capture_end 3200 of 1\n-C1.2 capture_end 3200 of 5\n"
	  "-C1 capture_end\n" },
	{ "ZRTP first",
	  "0 zrtp " A ">" B "\n50 rtp " A ">" B " 1 0 0 20\n"
	  "55 rtp " B ">" A " 2 0 0 20\n900 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\nC1.1 state encrypted\n"
	  "+C1.2 unknown PCMU " B ">" A " 2\nC1.2 state encrypted\n"
	  "-C1.1 capture_end 0\n-C1.2 capture_end 0\n-C1 capture_end\n" },
	{ "ZRTP first, of the party that speaks later",
	  "0 zrtp " B ">" A "\n50 rtp " A ">" B " 1 0 0 20\n900 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\nC1.1 state encrypted\n"
	  "-C1.1 capture_end 0\n-C1 capture_end\n" },
	{ "ZRTP that only says hello",
	  "0 raw " A ">" B " 100012345a52545000000001505a001d"
	  "48656c6c6f20202000000000\n"
	  "50 rtp " A ">" B " 1 0 0 5\n900 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\n"
	  "-C1.1 capture_end 800 of 1\n-C1 capture_end\n" },
	{ "ZRTP of the direction that has not spoken",
	  "0 rtp " A ">" B " 1 0 0 10\n200 zrtp " B ">" A "\n"
	  "210 rtp " A ">" B " 1 0 10 10\n215 rtp " B ">" A " 2 0 0 10\n"
	  "900 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\nC1.1 state encrypted\n"
	  "+C1.2 unknown PCMU " B ">" A " 2\nC1.2 state encrypted\n"
	  "-C1.1 capture_end 1600 of 1\n-C1.2 capture_end 0\n"
	  "-C1 capture_end\n" },
	{ "ZRTP in the middle",
	  "0 rtp " A ">" B " 1 0 0 10\n5 rtp " B ">" A " 2 0 0 10\n"
	  "200 zrtp " B ">" A "\n210 rtp " A ">" B " 1 0 10 10\n"
	  "215 rtp " B ">" A " 2 0 10 10\n900 end",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\n"
	  "+C1.2 unknown PCMU " B ">" A " 2\n"
	  "C1.1 state encrypted\nC1.2 state encrypted\n"
	  "-C1.1 capture_end 1600 of 1\n-C1.2 capture_end 1600 of 2\n"
	  "-C1 capture_end\n" },
	{ "the SIP of it comes late",
	  "0 rtp " A ">" B " 1 0 0 20\n5 rtp " B ">" A " 2 0 0 20\n"
	  "201 INVITE c f - 1 " A "/0\n202 200 c f t 1 " B "/0\n"
	  "500 BYE c f t 2\n3000 wait",
	  "+C1 >\n+C1.1 unknown PCMU " A ">" B " 1\n"
	  "+C1.2 unknown PCMU " B ">" A " 2\n"
	  "+C2 alice@example.net>bob@example.net\n"
	  "-C1.1 announced 1760 of 1\n-C1.2 announced 1600 of 2\n"
	  "-C1 announced\n"
	  "+C2.1 agent PCMU " B ">" A " 2\n"
	  "+C2.2 caller PCMU " A ">" B " 1\n"
	  "-C2.1 bye 1600 of 2\n-C2.2 bye 1440 of 1\n-C2 bye\n" },
	{ "another call's end takes nothing of the beginning",
	  CALL("c") "400 BYE c f t 2\n"
	  "550 rtp 10.0.0.5:1000>10.0.0.6:1000 5 0 0 8\n5000 end",
	  "+C1 alice@example.net>bob@example.net\n-C1 bye\n"
	  "+C2 >\n+C2.1 unknown PCMU 10.0.0.5:1000>10.0.0.6:1000 5\n"
	  "-C2.1 capture_end 1280 of 5\n-C2 capture_end\n" },
	{ "RTCP, STUN, DTLS, garbage, SIP that is none",
	  "0 raw " A ">" B " 80c800060000000100000000000000000000000000000000"
	  "00000000\n"
	  "1 raw " A ">" B " 000100002112a442000000000000000000000000\n"
	  "2 raw " A ">" B " 16feff0000000000000000\n"
	  "3 raw " A ">" B " 80\n4 raw " A ">" B " 8000\n"
	  "5 raw " A ">" B " 8f00000000000000000000010000\n"
	  "6 raw " A ">" B " 1000000000\n"
	  "7 raw 10.0.0.1:5060>10.0.0.2:5060 494e5649544520\n"
	  "8 raw 10.0.0.1:5060>10.0.0.2:5060 5349502f322e3020323030\n"
	  "500 end", "" },
};

static void run(const struct row *r, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		print_message("row: %s\n", r[i].name);
		tap_begin();
		tap_play(r[i].script);
		assert_string_equal(buf_str(&tp.out), r[i].want);
		tap_finish();
	}
}

static void test_announced_calls(void **state)
{
	(void)state;
	run(announced, ARRAY_LEN(announced));
}

static void test_their_media(void **state)
{
	(void)state;
	run(media, ARRAY_LEN(media));
}

static void test_unannounced_calls(void **state)
{
	(void)state;
	run(unannounced, ARRAY_LEN(unannounced));
}

/* A recorder's port: 20 calls, all with one SSRC, to one address. */
static void test_twenty_calls_to_one_port(void **state)
{
	struct buf script = {0}, want = {0};

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		buf_printf(&script, "%u INVITE c%u f - 1 10.0.1.%u:4000/0\n", i,
			   i, i + 1);
		buf_printf(&script, "%u 200 c%u f t 1 " B "/0\n", 100 + i, i);
		buf_printf(&want, "+C%u alice@example.net>bob@example.net\n",
			   i + 1);
	}
	for (unsigned i = 0; i < 20; i++) {
		buf_printf(&script, "%u rtp 10.0.1.%u:4000>" B
				    " 7 0 %u %u\n", 200 + i, i + 1, i * 5,
			   10 + i);
		buf_printf(&script, "%u BYE c%u f t 2\n", 2000 + i, i);
		buf_printf(&want, "+C%u.1 caller PCMU 10.0.1.%u:4000>" B
				  " 7\n", i + 1, i + 1);
	}
	for (unsigned i = 0; i < 20; i++)
		buf_printf(&want, "-C%u.1 bye %u of 7\n-C%u bye\n", i + 1,
			   160 * (10 + i), i + 1);
	buf_puts(&script, "9000 wait");
	tap_begin();
	tap_play(buf_str(&script));
	assert_string_equal(buf_str(&tp.out), buf_str(&want));
	tap_finish();
	buf_free(&script);
	buf_free(&want);
}

static void send_rtp(unsigned port, uint16_t seq, uint64_t at_us)
{
	uint8_t data[12 + 160] = { 0x80, 0, (uint8_t)(seq >> 8), (uint8_t)seq,
				   0, 0, 0, 0, 0, 0, 0, 9 };
	struct decap_packet p = {
		.kind = DECAP_UDP, .data = data, .len = sizeof(data),
		.wire_len = sizeof(data),
		.from = tap_addr("10.1.0.1:1"), .to = tap_addr("10.1.0.2:1"),
	};
	const uint32_t ts = seq * 160u;

	data[6] = (uint8_t)(ts >> 8);
	data[7] = (uint8_t)ts;
	p.from.port = (uint16_t)(1 + port % 50000);
	p.to.port = (uint16_t)(1 + port / 50000);
	timers_run(tp.timers, at_us);
	tap_packet(tp.tap, &p, at_us);
}

/* Packets from everywhere: what is there goes on, no more is taken in, and
 * when they stop there is room again. */
static void test_flows_without_end(void **state)
{
	const uint64_t base_us = TAP_BASE_S * (uint64_t)1000000;
	struct tap_stats st;

	(void)state;
	tap_begin();
	for (uint16_t i = 0; i < 4; i++)
		send_rtp(1, i, base_us + i * 20000);
	for (unsigned i = 2; i < 70000; i++)
		send_rtp(i, 0, base_us + 90000);
	tap_stats(tp.tap, &st);
	assert_in_range(st.flows_full, 4000, 5000);
	for (uint16_t i = 4; i < 50; i++)
		send_rtp(1, i, base_us + i * 20000);
	send_rtp(69999, 0, base_us + 90 * 1000000ull);
	tap_stats(tp.tap, &st);
	const uint64_t full = st.flows_full;

	for (uint16_t i = 0; i < 4; i++)
		send_rtp(69999, i, base_us + 100 * 1000000ull + i * 20000u);
	tap_stats(tp.tap, &st);
	assert_int_equal(st.flows_full, full);
	tap_end(tp.tap, "capture_end");
	assert_string_equal(buf_str(&tp.out),
		"+C1 >\n+C1.1 unknown PCMU 10.1.0.1:2>10.1.0.2:1 9\n"
		"-C1.1 rtp_timeout 8000\n-C1 rtp_timeout\n"
		"+C2 >\n+C2.1 unknown PCMU 10.1.0.1:20000>10.1.0.2:2 9\n"
		"-C2.1 capture_end 640\n-C2 capture_end\n");
	tap_finish();
}

static void send_sip(const char *method, unsigned call, uint64_t at_us)
{
	char text[600];
	struct decap_packet p = {
		.kind = DECAP_UDP, .data = (const uint8_t *)text,
		.from = tap_addr("10.9.0.1:5060"),
		.to = tap_addr("10.9.0.2:5060"),
	};

	p.len = p.wire_len = (size_t)snprintf(
		text, sizeof(text),
		"%s sip:bob@example.net SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 10.9.0.1;branch=z9hG4bK%u\r\n"
		"From: <sip:a@b>;tag=f\r\nTo: <sip:c@d>\r\nCall-ID: %u\r\n"
		"Max-Forwards: 70\r\nCSeq: 1 %s\r\nContent-Length: 0\r\n\r\n",
		method, call, call, method);
	timers_run(tp.timers, at_us);
	tap_packet(tp.tap, &p, at_us);
}

/* A scanner's INVITEs, never answered: bounded, and forgotten in the end. */
static void test_calls_without_end(void **state)
{
	const uint64_t base_us = TAP_BASE_S * (uint64_t)1000000;
	struct tap_stats st;

	(void)state;
	tap_begin();
	for (unsigned i = 0; i < 20000; i++)
		send_sip("INVITE", i, base_us + i);
	tap_stats(tp.tap, &st);
	assert_in_range(st.calls_full, 1000, 10000);
	assert_int_equal(st.sip, 20000);
	assert_int_equal(st.sip_bad, 0);
	timers_run(tp.timers, base_us + 3600 * 1000000ull);
	const uint64_t full = st.calls_full;

	for (unsigned i = 0; i < 100; i++)
		send_sip("INVITE", 30000 + i, base_us + 3601 * 1000000ull);
	tap_stats(tp.tap, &st);
	assert_int_equal(st.calls_full, full);
	tap_end(tp.tap, "capture_end");
	assert_string_equal(buf_str(&tp.out), "");
	tap_finish();
}

static void test_what_is_counted(void **state)
{
	struct tap_stats st;

	(void)state;
	tap_begin();
	tap_play(CALL("c")
		 "150 raw 10.9.0.1:5060>10.9.0.2:5060 " /* INVITE without headers */
		 "494e56495445207369703a78205349502f322e300d0a0d0a\n"
		 "160 raw 10.9.0.1:5060>10.9.0.2:5060 0d0a0d0a\n"
		 "200 rtp " A ">" B " 1 0 10 50\n"
		 "210 raw " B ">" A " 80c80006000000010000000000000000000000"
		 "000000000000000000\n"
		 "220 rtp 10.3.0.1:1000>10.3.0.2:1000 2 18 0 7\n"
		 "230 raw 10.3.0.1:1000>10.3.0.2:1000 800000\n");
	tap_stats(tp.tap, &st);
	assert_int_equal(st.sip, 3);
	assert_int_equal(st.sip_bad, 1);
	assert_int_equal(st.rtp, 57);
	assert_int_equal(st.rtcp, 1);
	assert_int_equal(st.foreign, 8);
	assert_int_equal(st.flows_full, 0);
	assert_int_equal(st.calls_full, 0);
	tap_finish(); /* with a call still open */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_announced_calls),
		cmocka_unit_test(test_their_media),
		cmocka_unit_test(test_unannounced_calls),
		cmocka_unit_test(test_twenty_calls_to_one_port),
		cmocka_unit_test(test_flows_without_end),
		cmocka_unit_test(test_calls_without_end),
		cmocka_unit_test(test_what_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
