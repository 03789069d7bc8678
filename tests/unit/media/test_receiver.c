/** @file test_receiver.c  daemon/media/receiver.c, scripts as in script.h */
#include "daemon/media/receiver.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/media/script.h"

static const struct {
	const char *name, *in, *out;
	const char *stats;   /* those that are not 0 */
} rows[] = {
	/* reorder */
	{ "in order, begun at the deadline",
	  "7@0 8@20 9@40 =60 10@60",
	  "7:0+160 8:160+160 9:320+160 10:480+160",
	  "packets 4" },
	{ "one alone, flushed",
	  "7@0 !",
	  "7:0+160",
	  "packets 1" },
	{ "swapped at the beginning",
	  "8@0 7@1 9@20 =60",
	  "7:0+160 8:160+160 9:320+160",
	  "packets 3 reordered 1" },
	{ "swapped later",
	  "7@0 =60 9@60 8@61 10@80",
	  "7:0+160 8:160+160 9:320+160 10:480+160",
	  "packets 4 reordered 1" },
	{ "three turned round",
	  "7@0 =60 10@60 9@61 8@62",
	  "7:0+160 8:160+160 9:320+160 10:480+160",
	  "packets 4 reordered 2" },
	{ "lost",
	  "7@0 =60 9@60 10@80 =119 =120 11@121",
	  "7:0+160 l160+160 9:320+160 10:480+160 11:640+160",
	  "packets 4 lost 1" },
	{ "lost, nobody looked in time",
	  "7@0 =60 9@60 8@120",
	  "7:0+160 late l160+160 9:320+160",
	  "packets 3 late 1" },
	{ "two lost",
	  "7@0 =60 10@80 =140",
	  "7:0+160 l160+320 10:480+160",
	  "packets 2 lost 2" },
	{ "each hole has its own wait",
	  "7@0 =60 9@60 11@80 =120 =139 10@139 =140",
	  "7:0+160 l160+160 9:320+160 10:480+160 11:640+160",
	  "packets 4 lost 1 reordered 1" },
	{ "two holes, both lost",
	  "7@0 =60 9@60 11@80 =120 =140",
	  "7:0+160 l160+160 9:320+160 l480+160 11:640+160",
	  "packets 3 lost 2" },
	{ "late",
	  "7@0 =60 9@60 =120 8@121 10@122",
	  "7:0+160 l160+160 9:320+160 late 10:480+160",
	  "packets 4 late 1" },
	{ "late, twice",
	  "7@0 =60 9@60 =120 8@121 8@122",
	  "7:0+160 l160+160 9:320+160 late dup",
	  "packets 4 late 1 duplicate 1" },
	{ "before the first",
	  "7@0 =60 6@61 8@62",
	  "7:0+160 late 8:160+160",
	  "packets 3 late 1" },
	{ "twice, gone",
	  "7@0 =60 7@61 8@80",
	  "7:0+160 dup 8:160+160",
	  "packets 3 duplicate 1" },
	{ "twice, held",
	  "7@0 =60 9@60 9@61 8@62",
	  "7:0+160 dup 8:160+160 9:320+160",
	  "packets 4 duplicate 1 reordered 1" },
	{ "twice, first of all",
	  "7@0 7@1 =60",
	  "dup 7:0+160",
	  "packets 2 duplicate 1" },
	{ "flush ends the wait",
	  "7@0 =60 9@60 !",
	  "7:0+160 l160+160 9:320+160",
	  "packets 2 lost 1" },
	{ "goes on after flush",
	  "7@0 ! 8@20",
	  "7:0+160 8:160+160",
	  "packets 2" },
	{ "arrival goes back",
	  "7@0 =60 8@80 9@70",
	  "7:0+160 8:160+160 9:320+160",
	  "packets 3" },

	/* wraps */
	{ "sequence wraps",
	  "65534@0 65535@20 0t10485760@40 1t10485920@60",
	  "254:0+160 255:160+160 0:320+160 1:480+160",
	  "packets 4" },
	{ "swapped over the wrap",
	  "65535@0 =60 1t10485920@80 0t10485760@81",
	  "255:0+160 0:160+160 1:320+160",
	  "packets 3 reordered 1" },
	{ "swapped over the wrap at the beginning",
	  "0t10485760@0 65535@1 =60",
	  "255:0+160 0:160+160",
	  "packets 2 reordered 1" },
	{ "gap over the wrap",
	  "65534@0 =60 1t10485920@80 =140",
	  "254:0+160 l160+320 1:480+160",
	  "packets 2 lost 2" },
	{ "timestamp wraps",
	  "7t4294967200@0 =60 8t64@80 9t224@100",
	  "7:0+160 8:160+160 9:320+160",
	  "packets 3" },
	{ "hole over the timestamp's wrap",
	  "7t4294967200@0 =60 8t224@100",
	  "7:0+160 s160+160 8:320+160",
	  "packets 2" },

	/* jumps of the sequence */
	{ "one stray",
	  "7@0 =60 30000@80 8@100",
	  "7:0+160 8:160+160",
	  "packets 3 late 1" },
	{ "one stray at the beginning",
	  "7@0 30000@10 8@20 =60",
	  "7:0+160 8:160+160",
	  "packets 3 late 1" },
	{ "two strays apart",
	  "7@0 =60 30000@80 8@81 30001@82 9@100",
	  "7:0+160 8:160+160 9:320+160",
	  "packets 5 late 2" },
	{ "a stray, twice",
	  "7@0 =60 30000@80 30000@81 8@100",
	  "7:0+160 dup 8:160+160",
	  "packets 4 late 1 duplicate 1" },
	{ "strays that do not follow",
	  "7@0 =60 30000@80 20000@81 8@100",
	  "7:0+160 8:160+160",
	  "packets 4 late 2" },
	{ "sender restarts, clock goes on",
	  "7@0 =60 30000t1280@80 30001t1440@100 30002t1600@120",
	  "7:0+160 48:160+160 49:320+160 50:480+160",
	  "packets 4" },
	{ "sender restarts, clock too",
	  "7@0 =60 30000t5@80 30001t165@100",
	  "7:0+160 ts@160 48:160+160 49:320+160",
	  "packets 3" },
	{ "a late one between the two",
	  "7@0 =60 9@70 =130 30000t1600@140 8@141 30001t1760@142",
	  "7:0+160 l160+160 9:320+160 late 48:480+160 49:640+160",
	  "packets 5 late 1" },
	{ "restart loses nothing held",
	  "7@0 =60 9@70 30000t1600@80 30001t1760@81",
	  "7:0+160 l160+160 9:320+160 48:480+160 49:640+160",
	  "packets 4 lost 1" },
	{ "a jump that is loss",
	  "7@0 =60 4008@80080 4009@80100",
	  "7:0+160 l160+640000 168:640160+160 169:640320+160",
	  "packets 3 lost 4000" },
	{ "a jump that is a pause",
	  "7@0 =60 30000t161280@20060 30001t161440@20080",
	  "7:0+160 s160+160000 48:160160+160 49:160320+160",
	  "packets 3" },
	{ "a jump over a short pause",
	  "7@0 =60 9000t9120@1000 9001t9280@1020",
	  "7:0+160 s160+7840 40:8000+160 41:8160+160",
	  "packets 3" },
	{ "2,999 lost",
	  "7@0 =60 3007@60000 =60060",
	  "7:0+160 l160+479840 191:480000+160",
	  "packets 2 lost 2999" },
	{ "3,000 ahead is a jump",
	  "7@0 =60 3008@60020 =60080 3009@60090",
	  "7:0+160 l160+480000 192:480160+160 193:480320+160",
	  "packets 3 lost 3000" },
	{ "100 behind is late",
	  "300@0 301@20 =60 202@80 203@81 302@100",
	  "44:0+160 45:160+160 late late 46:320+160",
	  "packets 5 late 2" },
	{ "101 behind is a jump",
	  "300@0 301@20 =60 201@80 202@81 203@100",
	  "44:0+160 45:160+160 ts@320 201:320+160 202:480+160 203:640+160",
	  "packets 5" },

	/* the timeline */
	{ "no packets, no sequence gap",
	  "7@0 =60 8t9120@1000",
	  "7:0+160 s160+7840 8:8000+160",
	  "packets 2" },
	{ "20 s that the clock confirms",
	  "7@0 =60 8t161280@20060",
	  "7:0+160 s160+160000 8:160160+160",
	  "packets 2" },
	{ "20 s lost",
	  "7@0 =60 1008@20020 =20080",
	  "7:0+160 l160+160000 240:160160+160",
	  "packets 2 lost 1000" },
	{ "lost and paused",
	  "7@0 =60 9t9280@1000 =1060",
	  "7:0+160 l160+160 s320+7840 9:8160+160",
	  "packets 2 lost 1" },
	{ "just believed",
	  "7@0 =60 8t9607@61",
	  "7:0+160 s160+8327 8:8487+160",
	  "packets 2" },
	{ "just not believed",
	  "7@0 =60 8t9608@61",
	  "7:0+160 ts@160 8:160+160",
	  "packets 2" },
	{ "slow clock, just believed",
	  "7@0 =60 8t1281@1020",
	  "7:0+160 s160+1 8:161+160",
	  "packets 2" },
	{ "slow clock, just not believed",
	  "7@0 =60 8t1281@1020.125",
	  "7:0+160 s160+8001 ts@8161 8:8161+160",
	  "packets 2" },
	{ "forward, not believed",
	  "7@0 =60 8t1000000@80 9t1000160@100",
	  "7:0+160 ts@160 8:160+160 9:320+160",
	  "packets 3" },
	{ "forward, not believed, later",
	  "7@0 =60 8t1000000@500",
	  "7:0+160 s160+3840 ts@4000 8:4000+160",
	  "packets 2" },
	{ "not believed and lost",
	  "7@0 =60 10t900000@1000 =1060",
	  "7:0+160 l160+320 s480+7520 ts@8000 10:8000+160",
	  "packets 2 lost 2" },
	{ "waiting is no hole",
	  "7@0 =60 8t0@80",
	  "7:0+160 ts@160 8:160+160",
	  "packets 2" },
	{ "more than the window is",
	  "7@0 =60 8t0@80.125",
	  "7:0+160 s160+481 ts@641 8:641+160",
	  "packets 2" },
	{ "backward",
	  "7@0 =60 8t0@70 9t160@100",
	  "7:0+160 ts@160 8:160+160 9:320+160",
	  "packets 3" },
	{ "overlap",
	  "7@0 =60 8t1200@70 9t1360@90",
	  "7:0+160 ts@160 8:160+160 9:320+160",
	  "packets 3" },
	{ "forward by 2^31 - 1",
	  "7@0 =60 8t2147484927@70",
	  "7:0+160 ts@160 8:160+160",
	  "packets 2" },
	{ "by 2^31",
	  "7@0 =60 8t2147484928@70",
	  "7:0+160 ts@160 8:160+160",
	  "packets 2" },
	{ "back by 2^31 - 1",
	  "7@0 =60 8t2147484929@70",
	  "7:0+160 ts@160 8:160+160",
	  "packets 2" },
	{ "2^31 - 1 that the clock confirms",
	  "7@0 =60 8t2147484767@268435455.875",
	  "7:0+160 s160+2147483487 8:2147483647+160",
	  "packets 2" },
	{ "clock stands still while held",
	  "7@0 =60 8@7000",
	  "7:0+160 8:160+160",
	  "packets 2" },
	{ "never fits, told once a second",
	  "7@0 =60 8t0@70 9t0@90 10t0@110 11t0@1069 12t0@1070",
	  "7:0+160 ts@160 8:160+160 9:320+160 10:480+160 s640+7512 "
	  "11:8152+160 ts@8312 12:8312+160",
	  "packets 6" },
	{ "many small lies",
	  "7@0 =60 8t9020@61 9t16920@62 10t24820@63 11t32720@64 12t40620@65 "
	  "13t48520@66 14t56420@67",
	  "7:0+160 s160+7740 8:7900+160 s8060+7740 9:15800+160 s15960+7740 "
	  "10:23700+160 s23860+7740 11:31600+160 s31760+7740 12:39500+160 "
	  "ts@39660 13:39660+160 14:39820+160",
	  "packets 8" },
	{ "small lies that time makes good",
	  "7@0 =60 8t9020@61 9t16920@62 10t24820@63 11t32720@64 12t40620@65 "
	  "13t48520@1066",
	  "7:0+160 s160+7740 8:7900+160 s8060+7740 9:15800+160 s15960+7740 "
	  "10:23700+160 s23860+7740 11:31600+160 s31760+7740 12:39500+160 "
	  "s39660+7740 13:47400+160",
	  "packets 7" },
	{ "clock goes on after a stray timestamp",
	  "7@0 =60 8t900000@70 9t1440@90 10t1600@110",
	  "7:0+160 ts@160 8:160+160 9:320+160 10:480+160",
	  "packets 4" },

	/* lengths, types */
	{ "10 to 60 ms",
	  "7n80t0@0 8n80t80@10 9n480t160@20 10n240t640@80 11n160t880@100",
	  "7:0+80 8:80+80 9:160+480 10:640+240 11:880+160",
	  "packets 5" },
	{ "loss counts by the last length",
	  "7n80t0@0 =60 9n480t160@80 =140 12n80t1600@260 =320",
	  "7:0+80 l80+80 9:160+480 l640+960 12:1600+80",
	  "packets 3 lost 3" },
	{ "no more loss than hole",
	  "7n480t0@0 =60 9n80t500@80 =140",
	  "7:0+480 l480+20 9:500+80",
	  "packets 2 lost 1" },
	{ "PCMU to PCMA",
	  "7@0 =60 8p8@80 9p8@100",
	  "7:0+160 codec@160 8:160+160 9:320+160",
	  "packets 3" },
	{ "to and fro, told once a second",
	  "7@0 =60 8p8@80 9@100 10p8@120 11@1080",
	  "7:0+160 codec@160 8:160+160 9:320+160 10:480+160 codec@640 "
	  "11:640+160",
	  "packets 5" },
	{ "PCMU to L16",
	  "7@0 =60 8p96n320@80",
	  "7:0+160 codec@160 8:160+160",
	  "packets 2" },
	{ "L16, half a sample",
	  "7p96n321t0@0 8p96n320t160@20 =60",
	  "7:0+160 8:160+160",
	  "packets 2" },
	{ "no payload",
	  "7@0 =60 8n0@80 9t1280@100",
	  "7:0+160 9:160+160",
	  "packets 3" },
	{ "no payload, first",
	  "7n0@0 8@20 =60",
	  "8:0+160",
	  "packets 2" },
	{ "unknown type",
	  "7@0 =60 8p99@80 9@100",
	  "7:0+160 unknown s160+160 9:320+160",
	  "packets 2 unknown 1" },
	{ "another codec",
	  "7@0 =60 8p18@80 9@100",
	  "7:0+160 unknown s160+160 9:320+160",
	  "packets 2 unknown 1" },
	{ "unknown type, first",
	  "6p99@0 7@10 =70",
	  "unknown 7:0+160",
	  "packets 1 unknown 1" },
	{ "unknown type, SSRC of another",
	  "7@0 =60 8p99s2@80 8@81",
	  "7:0+160 unknown 8:160+160",
	  "packets 2 unknown 1" },
	{ "longest payload",
	  "7@0 =60 8n1500@80",
	  "7:0+160 8:160+1500",
	  "packets 2" },
	{ "too long",
	  "7@0 =60 8n1501@80 9t2781@260 =320",
	  "7:0+160 big l160+160 s320+1341 9:1661+160",
	  "packets 3 lost 1 oversize 1" },
	{ "too long on the wire",
	  "7@0 =60 8n10w1501@80 8@81",
	  "7:0+160 big 8:160+160",
	  "packets 3 oversize 1" },
	{ "cut off by the capture",
	  "7n42w160@0 =60 8n42w160@80",
	  "7:0+42 l42+118 8:160+42 l202+118",
	  "packets 2" },
	{ "nothing left by the capture",
	  "7n0w160@0 =60 8@80",
	  "l0+160 8:160+160",
	  "packets 2" },
	{ "L16 cut off in a sample",
	  "7p96n101w320@0 =60",
	  "7:0+50 l50+110",
	  "packets 1" },
	{ "cut off and held",
	  "7@0 =60 9n42w160@80 8@81",
	  "7:0+160 8:160+160 9:320+42 l362+118",
	  "packets 3 reordered 1" },

	/* comfort noise */
	{ "noise, its own length",
	  "7@0 8p13n1@20 9p13n1t2880@200 10t4480@400",
	  "7:0+160 s160+1600 s1760+1600 10:3360+160",
	  "packets 4" },
	{ "noise of old",
	  "7@0 8p19n1@20 9p19n1t2880@200 10t4480@400",
	  "7:0+160 s160+1600 s1760+1600 10:3360+160",
	  "packets 4" },
	{ "noise with a clock of its own",
	  "7@0 =60 8p13n1t0@80 9t1440@100",
	  "7:0+160 s160+160 9:320+160",
	  "packets 3" },
	{ "noise from far",
	  "7@0 =60 8p13n1t900000@80 9t1440@100",
	  "7:0+160 s160+160 9:320+160",
	  "packets 3" },
	{ "lost before noise",
	  "7@0 =60 9p13n1@80 =140 10t2880@240",
	  "7:0+160 l160+160 s320+1440 10:1760+160",
	  "packets 3 lost 1" },
	{ "lost before noise that does not fit",
	  "7@0 =60 9p13n1t0@80 =140 10t1600@141",
	  "7:0+160 l160+160 s320+160 10:480+160",
	  "packets 3 lost 1" },
	{ "ends with noise",
	  "7@0 8p13n1t2880@200 !",
	  "7:0+160 s160+1600",
	  "packets 2" },
	{ "begins with noise",
	  "7p13n1t0@0 8t800@100 =160",
	  "s0+800 8:800+160",
	  "packets 2" },
	{ "20 s of noise",
	  "7@0 =60 8p13n1t81280@10060 9t161280@20060",
	  "7:0+160 s160+80000 s80160+80000 9:160160+160",
	  "packets 3" },

	/* telephone events */
	{ "a digit in mid-speech",
	  "7@0 =60 8e5t1280d160@80 9e5t1280d320@100 10e5t1280d480E@120 "
	  "11e5t1280d480E@120 12e5t1280d480E@120 13t1760@140",
	  "7:0+160 d5:160+480 s160+480 13:640+160",
	  "packets 7" },
	{ "same number for each end",
	  "7@0 =60 8e5t1280d480E@80 8e5t1280d480E@80 9t1760@100",
	  "7:0+160 d5:160+480 dup s160+480 9:640+160",
	  "packets 4 duplicate 1" },
	{ "ends out of order",
	  "7@0 =60 8e5t1280d160@80 10e5t1280d480E@81 9e5t1280d320@82 "
	  "11t1760@100",
	  "7:0+160 d5:160+480 s160+480 11:640+160",
	  "packets 5 reordered 1" },
	{ "first end lost",
	  "7@0 =60 8e5t1280d160@80 10e5t1280d480E@100 =160 11t1760@161",
	  "7:0+160 d5:160+480 l160+160 s320+320 11:640+160",
	  "packets 4 lost 1" },
	{ "all ends lost",
	  "7@0 =60 8e5t1280d160@80 9e5t1280d320@100 13t2400@300 =360",
	  "7:0+160 d5:160+320 l160+480 s640+640 13:1280+160",
	  "packets 4 lost 3" },
	{ "speech beside the digit",
	  "7@0 =60 8e5t1280d160@80 9t1280@81 10e5t1280d320@100 11t1440@101 "
	  "12e5t1280d400E@120 13t1600@121",
	  "7:0+160 9:160+160 11:320+160 d5:160+400 13:480+160",
	  "packets 7" },
	{ "two digits",
	  "7@0 =60 8e5t1280d400E@80 9e5t2400d400E@300",
	  "7:0+160 d5:160+400 d5:1280+400",
	  "packets 3" },
	{ "the next one ends it",
	  "7@0 =60 8e5t1280d160@80 9e6t1600d160E@100",
	  "7:0+160 d5:160+160 d6:480+160",
	  "packets 3" },
	{ "flush ends it",
	  "7@0 =60 8e5t1280d160@80 !",
	  "7:0+160 d5:160+160",
	  "packets 2" },
	{ "another SSRC ends it",
	  "7@0 =60 8e5t1280d160@80 9s2@100 !",
	  "7:0+160 d5:160+160 s160+640 ssrc@800 9:800+160",
	  "packets 3" },
	{ "not a digit",
	  "7@0 =60 8e32t1280d160E@80 9t1440@100",
	  "7:0+160 s160+160 9:320+160",
	  "packets 3" },
	{ "flash, star, hash, D",
	  "7@0 =60 8e16t1280d1E@80 9e10t1290d1E@100 10e11t1300d1E@120 "
	  "11e15t1310d1E@140",
	  "7:0+160 d!:160+1 d*:170+1 d#:180+1 dD:190+1",
	  "packets 5" },
	{ "payload too short",
	  "7@0 =60 8p101n3@80 9t1440@100",
	  "7:0+160 s160+160 9:320+160",
	  "packets 3" },
	{ "clock of its own: by arrival",
	  "7@0 =60 8e5t77000000d160E@500",
	  "7:0+160 d5:4000+160",
	  "packets 2" },
	{ "before any audio",
	  "6e5t0d160E@0 7@10 =70",
	  "d5:0+160 7:0+160",
	  "packets 2" },

	/* another SSRC */
	{ "another SSRC",
	  "7@0 =60 100s2t50@70 =130 101s2t210@141",
	  "7:0+160 ssrc@160 100:160+160 101:320+160",
	  "packets 3" },
	{ "after a pause",
	  "7@0 =60 100s2t50@1000 =1060",
	  "7:0+160 s160+7840 ssrc@8000 100:8000+160",
	  "packets 2" },
	{ "what was held comes first",
	  "7@0 =60 9@70 100s2t50@80 =140",
	  "7:0+160 l160+160 9:320+160 ssrc@480 100:480+160",
	  "packets 3 lost 1" },
	{ "swapped at the change",
	  "7@0 =60 101s2@70 100s2@71 =131",
	  "7:0+160 ssrc@160 100:160+160 101:320+160",
	  "packets 3 reordered 1" },
	{ "to and fro",
	  "7@0 7s2@50 7@100 !",
	  "7:0+160 ssrc@160 7:160+160 ssrc@320 7:320+160",
	  "packets 3" },
	{ "with another codec",
	  "7@0 =60 100p8s2@70 =130",
	  "7:0+160 ssrc@160 codec@160 100:160+160",
	  "packets 2" },
	{ "a stray goes with it",
	  "7@0 =60 30000@65 100s2@70 =130",
	  "7:0+160 ssrc@160 100:160+160",
	  "packets 3 late 1" },
	{ "begins with an event",
	  "7@0 =60 100e1s2t0d80E@70 101s2@80 =150",
	  "7:0+160 d1:160+80 ssrc@160 101:160+160",
	  "packets 3" },
	{ "begins with noise that waits",
	  "7@0 =60 100p13n1s2@70 101s2@80 =150",
	  "7:0+160 ssrc@160 101:160+160",
	  "packets 3" },
};

static void stats_say(const struct receiver *r, char *out, size_t size)
{
	struct receiver_stats st;
	size_t n = 0;

	receiver_stats(r, &st);
	const struct { const char *name; uint64_t v; } all[] = {
		{ "packets", st.packets }, { "lost", st.lost },
		{ "late", st.late }, { "duplicate", st.duplicate },
		{ "reordered", st.reordered }, { "unknown", st.unknown },
		{ "oversize", st.oversize },
	};
	out[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		if (all[i].v)
			n += (size_t)snprintf(out + n, size - n,
					      "%s%s %" PRIu64, n ? " " : "",
					      all[i].name, all[i].v);
	}
}

static void test_rows(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char stats[128];
		struct script s;

		assert_int_equal(0, script_open(&s));
		script_play(&s, rows[i].in);
		stats_say(s.receiver, stats, sizeof(stats));
		script_close(&s);
		if (s.broken || strcmp(rows[i].out, s.out) ||
		    strcmp(rows[i].stats, stats)) {
			wrong++;
			print_error("%s:%s\n want %s\n got  %s\n want %s\n"
				    " got  %s\n", rows[i].name,
				    s.broken ? s.broken : "", rows[i].out,
				    s.out, rows[i].stats, stats);
		}
	}
	assert_int_equal(0, wrong);
}

static void test_deadline(void **state)
{
	struct script s;

	(void)state;
	assert_int_equal(0, script_open(&s));
	assert_true(receiver_deadline_us(s.receiver) == UINT64_MAX);
	script_play(&s, "7@1");
	assert_int_equal(61000, receiver_deadline_us(s.receiver));
	script_play(&s, "8@20");
	assert_int_equal(61000, receiver_deadline_us(s.receiver));
	script_play(&s, "=61");
	assert_true(receiver_deadline_us(s.receiver) == UINT64_MAX);
	script_play(&s, "11@80 10@90");
	assert_int_equal(140000, receiver_deadline_us(s.receiver));
	script_play(&s, "=140");
	assert_true(receiver_deadline_us(s.receiver) == UINT64_MAX);
	script_play(&s, "13@150 15@160 =210");
	assert_int_equal(220000, receiver_deadline_us(s.receiver));
	assert_null(s.broken);
	script_close(&s);
}

/* A burst behind a hole: it is given up when the window's slots are used up,
 * and nothing of the burst is lost. */
static void test_burst(void **state)
{
	struct script s;
	struct receiver_stats st;
	char word[32];

	(void)state;
	assert_int_equal(0, script_open(&s));
	script_play(&s, "7@0 =60");
	for (unsigned seq = 9; seq < 200; seq++) {
		snprintf(word, sizeof(word), "%u@61", seq);
		script_play(&s, word);
	}
	receiver_stats(s.receiver, &st);
	assert_int_equal(1, st.lost);
	assert_int_equal(192 * 160, st.samples);
	assert_int_equal(193 * 160, receiver_position(s.receiver));
	assert_null(s.broken);
	script_close(&s);
}

static uint32_t dice(uint32_t *x, uint32_t n)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x % n;
}

struct sender {
	uint32_t x;          /* dice */
	struct rtp h;
	uint64_t accepted;   /* audio packets the receiver took */
};

/* Mostly a good sender; now and then anything. */
static void next_packet(struct sender *o)
{
	static const uint8_t types[] = { 0, 0, 0, 0, 8, 13, 101, 99 };
	struct rtp *h = &o->h;
	const uint32_t what = dice(&o->x, 100);

	h->seq++;
	h->ts += 160;
	h->pt = types[dice(&o->x, what < 80 ? 4 : 8)];
	if (what == 90)
		h->seq = (uint16_t)dice(&o->x, 65536);
	else if (what == 91)
		h->ts = dice(&o->x, UINT32_MAX);
	else if (what == 92)
		h->ssrc = 1 + dice(&o->x, 3);
	else if (what < 5)
		h->seq = (uint16_t)(h->seq + dice(&o->x, 8));
	else if (what < 10)
		h->seq = (uint16_t)(h->seq - dice(&o->x, 8));
	else if (what == 93)
		h->ts += 160 * dice(&o->x, 500);
}

/* Whatever comes, and however seldom the caller looks: script.h's invariants
 * hold, and each packet taken comes out once. */
static void play_random(struct script *s, struct sender *o, unsigned lazy)
{
	struct receiver_stats st;
	uint8_t *last = NULL;

	for (unsigned i = 0; i < 3000; i++) {
		next_packet(o);
		uint8_t *bytes = malloc(160);

		memset(bytes, o->h.seq & 255, 160);
		o->h.payload = bytes;
		o->h.len = o->h.wire_len = 160;
		s->now_us += dice(&o->x, 100) ? dice(&o->x, 40000)
					      : dice(&o->x, 20000000);
		const int err = receiver_put(s->receiver, &o->h, s->now_us);
		if (!err && (o->h.pt == 0 || o->h.pt == 8))
			o->accepted++;
		assert_int_not_equal(-ENOBUFS, err);
		free(last);      /* kept until here: receiver_put() */
		last = bytes;
		if (dice(&o->x, lazy) == 0) {
			script_look(s);
		} else if (dice(&o->x, 2)) {
			struct media_item it;

			if (receiver_next(s->receiver, &it, s->now_us))
				script_item(s, &it);
		}
		assert_null(s->broken);
	}
	receiver_flush(s->receiver);
	script_look(s);
	free(last);

	/* a jump that nobody followed was taken, and is late in the end */
	receiver_stats(s->receiver, &st);
	assert_true(s->samples <= 160 * o->accepted);
	assert_true(s->samples + 160 * (st.late + 1) >= 160 * o->accepted);
	assert_null(s->broken);
}

static void test_random(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 200; seed++) {
		struct sender o = { .x = seed * 2654435761u,
				    .h = { .ssrc = 1 } };
		struct script s;

		assert_int_equal(0, script_open(&s));
		play_random(&s, &o, 1 + seed % 3);
		script_close(&s);
	}
}

/* The same packets give the same items, whether the caller looks after each
 * one and at each deadline, or only when the next packet comes. */
static void test_same_whenever_looked(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 50; seed++) {
		struct sender o = { .x = seed * 40503u, .h = { .ssrc = 1 } };
		struct script often, seldom;
		uint8_t bytes[160];

		assert_int_equal(0, script_open(&often));
		assert_int_equal(0, script_open(&seldom));
		for (unsigned i = 0; i < 300; i++) {
			next_packet(&o);
			memset(bytes, o.h.seq & 255, sizeof(bytes));
			o.h.payload = bytes;
			o.h.len = o.h.wire_len = sizeof(bytes);
			const uint64_t at = seldom.now_us + dice(&o.x, 40000);

			uint64_t due;
			while ((due = receiver_deadline_us(often.receiver)) <=
			       at) {
				often.now_us = due;
				script_look(&often);
			}
			often.now_us = seldom.now_us = at;
			(void)receiver_put(often.receiver, &o.h, at);
			script_look(&often);
			(void)receiver_put(seldom.receiver, &o.h, at);
			script_look(&seldom);
		}
		assert_string_equal(often.out, seldom.out);
		script_close(&often);
		script_close(&seldom);
	}
}

static void test_config(void **state)
{
	struct receiver_config cfg;
	struct receiver *r = NULL;

	(void)state;
	receiver_config_default(&cfg);
	assert_int_equal(60000, cfg.window_us);
	assert_int_equal(PAYLOAD_PCMU, cfg.kind[0]);
	assert_int_equal(PAYLOAD_PCMA, cfg.kind[8]);
	assert_int_equal(PAYLOAD_UNKNOWN, cfg.kind[101]);
	cfg.window_us = 1000001;
	assert_int_equal(-EINVAL, receiver_new(&r, &cfg));
	assert_null(r);
	receiver_free(NULL);
}

/* A new description of the types holds from the next packet on. */
static void test_set_kinds(void **state)
{
	uint8_t kind[128] = { [0] = PAYLOAD_PCMU, [99] = PAYLOAD_PCMA };
	struct script s;

	(void)state;
	assert_int_equal(0, script_open(&s));
	script_play(&s, "7@0 =60 8p99@80");
	receiver_set_kinds(s.receiver, kind);
	script_play(&s, "9p99@100 10p8@120");
	assert_string_equal("7:0+160 unknown s160+160 codec@320 9:320+160 "
			    "unknown", s.out);
	assert_null(s.broken);
	script_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_same_whenever_looked),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_set_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
