/** @file options.c  Words into numbers */
#include "tools/callgen/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/number.h"

enum { SOCKETS_MAX = 10000, DAY_MS = 24 * 3600 * 1000, NAME_MAX_BYTES = 32 };

int complain(int code, const char *fmt, ...)
{
	va_list ap;

	fputs("callgen: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

/* -- values ---------------------------------------------------------------------- */

static int number(uint64_t *out, const char *s, size_t n, uint64_t min,
		  uint64_t max)
{
	uint64_t v;

	if (number_parse(&v, s, n, max) || v < min)
		return -EINVAL;
	*out = v;
	return 0;
}

/* "12.5" -> 12500 with 3 digits */
static int decimal(uint64_t *out, const char *s, size_t n, int digits,
		   uint64_t max)
{
	const char *dot = memchr(s, '.', n);
	size_t whole = dot ? (size_t)(dot - s) : n;
	uint64_t v, part = 0, scale = 1;

	for (int i = 0; i < digits; i++)
		scale *= 10;
	if (number_parse(&v, s, whole, max / scale))
		return -EINVAL;
	if (dot) {
		const size_t rest = n - whole - 1;

		if (rest > (size_t)digits ||
		    number_parse(&part, dot + 1, rest, scale))
			return -EINVAL;
		for (size_t i = rest; i < (size_t)digits; i++)
			part *= 10;
	}
	*out = v * scale + part;
	return *out > max ? -EINVAL : 0;
}

static int percent(uint32_t *ppm, const char *s, size_t n)
{
	uint64_t v;

	if (decimal(&v, s, n, 4, 1000000))
		return -EINVAL;
	*ppm = (uint32_t)v;
	return 0;
}

static int duration(uint64_t *ms, const char *s, size_t n)
{
	if (n > 2 && !memcmp(s + n - 2, "ms", 2))
		return number(ms, s, n - 2, 0, DAY_MS);
	if (n > 1 && s[n - 1] == 's')
		return decimal(ms, s, n - 1, 3, DAY_MS);
	return -EINVAL;
}

static int address(struct addr *out, const char *s, size_t n)
{
	if (n >= 2 && s[0] == '[' && s[n - 1] == ']') {
		s++;
		n -= 2;
	}
	if (n == 9 && !memcmp(s, "localhost", 9))
		return addr_parse(out, "127.0.0.1", 9);
	return addr_parse(out, s, n);
}

static int address_port(struct addr *out, const char *s)
{
	const char *colon = strrchr(s, ':');
	struct addr a;
	uint64_t port;

	if (!colon || number(&port, colon + 1, strlen(colon + 1), 1, 65535) ||
	    address(&a, s, (size_t)(colon - s)))
		return -EINVAL;
	a.port = (uint16_t)port;
	*out = a;
	return 0;
}

/* A:B -> both halves; @return whether there was a colon */
static bool halves(const char *s, char sep, size_t *first, const char **second)
{
	const char *at = strchr(s, sep);

	*first = at ? (size_t)(at - s) : strlen(s);
	*second = at ? at + 1 : s + *first;
	return at != NULL;
}

static int two_times(uint64_t *a, uint64_t *b, const char *s)
{
	const char *second;
	size_t n;

	if (!halves(s, ':', &n, &second) || duration(a, s, n))
		return -EINVAL;
	return duration(b, second, strlen(second));
}

/* -- options of more than one word ---------------------------------------------------- */

static int read_codecs(struct options *o, const char *s)
{
	for (unsigned k = 0, from = 0; k < LEGS_MAX; k++) {
		const size_t n = strcspn(s + from, ",");

		if (n != 4 || (strncmp(s + from, "PCMU", 4) &&
			       strncmp(s + from, "PCMA", 4)))
			return -EINVAL;
		o->law[k] = s[from + 3] == 'U' ? LAW_PCMU : LAW_PCMA;
		from = s[from + n] ? from + (unsigned)n + 1 : 0;
	}
	return 0;
}

static int read_ptimes(struct options *o, const char *s)
{
	for (unsigned k = 0, from = 0; k < LEGS_MAX; k++) {
		const size_t n = strcspn(s + from, ",");
		uint64_t ms;

		if (number(&ms, s + from, n, 10, 60))
			return -EINVAL;
		o->ptime_ms[k] = (unsigned)ms;
		from = s[from + n] ? from + (unsigned)n + 1 : 0;
	}
	return 0;
}

static int read_reorder(struct options *o, const char *s)
{
	const char *second;
	uint64_t by = 1;
	size_t n;

	if (halves(s, ':', &n, &second) &&
	    number(&by, second, strlen(second), 1, 100))
		return -EINVAL;
	o->plan.reorder_by = (unsigned)by;
	return percent(&o->plan.reorder, s, n);
}

static int read_jump(struct options *o, const char *s)
{
	const char *second;
	bool back;
	uint64_t v;
	size_t n;

	if (!halves(s, ':', &n, &second) || duration(&o->jump_at_ms, s, n))
		return -EINVAL;
	back = *second == '-';
	second += back;
	/* smaller ones a receiver may take for silence */
	if (number(&v, second, strlen(second), 16000, INT32_MAX))
		return -EINVAL;
	o->plan.jump = back ? -(int64_t)v : (int64_t)v;
	return 0;
}

static int read_digits(struct options *o, const char *s)
{
	const char *second;
	size_t n;

	o->digits_at_ms = 1000;
	if (halves(s, '@', &n, &second) &&
	    duration(&o->digits_at_ms, second, strlen(second)))
		return -EINVAL;
	if (n == 0 || n > PLAN_DIGITS_MAX || strspn(s, "0123456789*#ABCD") < n)
		return -EINVAL;
	memcpy(o->plan.digits, s, n);
	o->plan.digits[n] = '\0';
	return 0;
}

/* The last colon, as IPv6 has more. */
static int read_spoof(struct options *o, const char *s)
{
	const char *colon = strrchr(s, ':');

	o->plan.spoof = 1000000;
	if (!address(&o->spoof_from, s, strlen(s)))
		return 0;
	if (!colon || percent(&o->plan.spoof, colon + 1, strlen(colon + 1)))
		return -EINVAL;
	return address(&o->spoof_from, s, (size_t)(colon - s));
}

static int read_sip(struct options *o, const char *s)
{
	if (!strncmp(s, "tcp:", 4))
		o->transport = TRANSPORT_TCP;
	if (!strncmp(s, "tcp:", 4) || !strncmp(s, "udp:", 4))
		s += 4;
	return address_port(&o->sip, s);
}

/* -- the table --------------------------------------------------------------------------- */

enum which {
	TO, CONTROL, SIP, SIPREC, WRITE, FROM, SOCKETS, AUDIO, REPORT, NAME,
	USER, CALLS, LEGS, RATE, LENGTH, CODEC, PTIME, SEED, SPOOF, HOLD,
	SSRC_CHANGE, JUMP, DTMF, DTX, CN, LOSS, BURST, REORDER, DUPLICATE,
	JITTER, FIRST_SEQ, FIRST_TS, HELP, OPTIONS
};

static const struct row {
	const char *name, *what;
} rows[OPTIONS] = {
	[TO] = { "to", "ADDRESS:PORT" },
	[CONTROL] = { "control", "a path" },
	[SIP] = { "sip", "[udp:|tcp:]ADDRESS:PORT" },
	[SIPREC] = { "siprec", "a file" },
	[WRITE] = { "write", "a file" },
	[FROM] = { "from", "an address" },
	[SOCKETS] = { "sockets", "1 to 10000" },
	[AUDIO] = { "audio", "a file" },
	[REPORT] = { "report", "a file" },
	[NAME] = { "name", "1 to 32 of A-Z a-z 0-9 . _ -" },
	[USER] = { "user", "1 to 32 of A-Z a-z 0-9 . _ -" },
	[CALLS] = { "calls", "1 to 1000000" },
	[LEGS] = { "legs", "1 to 8" },
	[RATE] = { "rate", "calls a second, 0.001 to 10000" },
	[LENGTH] = { "length", "20s or 500ms, at most a day" },
	[CODEC] = { "codec", "PCMU or PCMA, with commas" },
	[PTIME] = { "ptime", "10 to 60, with commas" },
	[SEED] = { "seed", "a number" },
	[SPOOF] = { "spoof", "ADDRESS or ADDRESS:PERCENT" },
	[HOLD] = { "hold", "TIME:TIME" },
	[SSRC_CHANGE] = { "ssrc-change", "20s or 500ms" },
	[JUMP] = { "jump", "TIME:TICKS, at least 16000 of them" },
	[DTMF] = { "dtmf", "1 to 32 of 0-9 * # A-D, and @TIME" },
	[DTX] = { "dtx", "TIME:TIME" },
	[CN] = { "cn", NULL },
	[LOSS] = { "loss", "0 to 100" },
	[BURST] = { "burst", "1 to 1000" },
	[REORDER] = { "reorder", "0 to 100, or PERCENT:N" },
	[DUPLICATE] = { "duplicate", "0 to 100" },
	[JITTER] = { "jitter", "20s or 500ms" },
	[FIRST_SEQ] = { "first-seq", "0 to 65535" },
	[FIRST_TS] = { "first-ts", "0 to 4294967295" },
	[HELP] = { "help", NULL },
};

static int read_name(const char **out, const char *s)
{
	const size_t n = strlen(s);

	if (n == 0 || n > NAME_MAX_BYTES ||
	    strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		      "0123456789._-") < n)
		return -EINVAL;
	*out = s;
	return 0;
}

static int read_count(struct options *o, enum which which, const char *s)
{
	const size_t n = strlen(s);
	uint64_t v = 0;
	int err;

	switch (which) {
	case SOCKETS:
		err = number(&v, s, n, 1, SOCKETS_MAX);
		o->sockets = (unsigned)v;
		return err;
	case LEGS:
		err = number(&v, s, n, 1, LEGS_MAX);
		o->legs = (unsigned)v;
		return err;
	case BURST:
		err = number(&v, s, n, 1, 1000);
		o->plan.burst = (unsigned)v;
		return err;
	case FIRST_SEQ:
		err = number(&v, s, n, 0, UINT16_MAX);
		o->plan.first_seq = (int64_t)v;
		return err;
	case FIRST_TS:
		err = number(&v, s, n, 0, UINT32_MAX);
		o->plan.first_ts = (int64_t)v;
		return err;
	case RATE:
		return decimal(&o->rate_milli, s, n, 3, 10000000) ||
		       !o->rate_milli ? -EINVAL : 0;
	case SEED:
		return number(&o->seed, s, n, 0, UINT64_MAX);
	default:
		return number(&o->calls, s, n, 1, 1000000);
	}
}

static int read_impairment(struct options *o, enum which which, const char *s)
{
	const size_t n = strlen(s);
	uint64_t ms = 0;
	int err;

	switch (which) {
	case SPOOF: return read_spoof(o, s);
	case HOLD: return two_times(&o->hold_at_ms, &o->hold_ms, s);
	case SSRC_CHANGE: return duration(&o->ssrc_at_ms, s, n);
	case JUMP: return read_jump(o, s);
	case DTMF: return read_digits(o, s);
	case DTX: return two_times(&o->talk_ms, &o->quiet_ms, s);
	case CN: o->plan.cn = true; return 0;
	case LOSS: return percent(&o->plan.loss, s, n);
	case REORDER: return read_reorder(o, s);
	case DUPLICATE: return percent(&o->plan.duplicate, s, n);
	default:
		err = duration(&ms, s, n);
		o->plan.jitter_us = 1000 * ms;
		return err;
	}
}

static int read_option(struct options *o, enum which which, const char *s)
{
	switch (which) {
	case TO: return address_port(&o->to, s);
	case CONTROL: o->control = s; return 0;
	case SIP: return read_sip(o, s);
	case SIPREC: o->siprec = s; return 0;
	case WRITE: o->write = s; return 0;
	case FROM: return address(&o->from, s, strlen(s));
	case AUDIO: o->audio = s; return 0;
	case REPORT: o->report = s; return 0;
	case NAME: return read_name(&o->name, s);
	case USER: return read_name(&o->user, s);
	case LENGTH: return duration(&o->length_ms, s, strlen(s));
	case CODEC: return read_codecs(o, s);
	case PTIME: return read_ptimes(o, s);
	case HELP: o->help = true; return 0;
	case SOCKETS: case CALLS: case LEGS: case RATE: case SEED: case BURST:
	case FIRST_SEQ: case FIRST_TS:
		return read_count(o, which, s);
	default:
		return read_impairment(o, which, s ? s : "");
	}
}

/* -- what goes together --------------------------------------------------------------------- */

static bool within(uint64_t at_ms, uint64_t from_ms, uint64_t for_ms)
{
	return at_ms && at_ms + 500 > from_ms && at_ms < from_ms + for_ms + 500;
}

static int check(struct options *o)
{
	const int ways = (o->to.family != 0) + (o->control != NULL) +
			 (o->sip.family != 0);
	const uint64_t digits_ms =
		strlen(o->plan.digits) * 2 * PLAN_EVENT_MS + 500;

	if (ways != 1)
		return complain(EXIT_USAGE, "one of --to, --control and --sip is "
			    "needed; see --help");
	if (o->write && !o->to.family)
		return complain(EXIT_USAGE, "--write needs --to");
	if (o->siprec && !o->sip.family)
		return complain(EXIT_USAGE, "--siprec needs --sip");
	if (o->plan.cn && !o->quiet_ms)
		return complain(EXIT_USAGE, "--cn needs --dtx");
	if (o->length_ms < 60)
		return complain(EXIT_USAGE, "--length is at least 60ms");
	if (o->hold_ms && o->hold_at_ms + o->hold_ms >= o->length_ms)
		return complain(EXIT_USAGE, "--hold ends before the call does");
	if (within(o->ssrc_at_ms, o->hold_at_ms, o->hold_ms) ||
	    within(o->jump_at_ms, o->hold_at_ms, o->hold_ms) ||
	    (*o->plan.digits &&
	     (within(o->ssrc_at_ms, o->digits_at_ms, digits_ms) ||
	      within(o->jump_at_ms, o->digits_at_ms, digits_ms))))
		return complain(EXIT_USAGE, "--ssrc-change and --jump are not within "
			    "500 ms of --hold or --dtmf");
	if (*o->plan.digits && o->digits_at_ms + digits_ms > o->length_ms)
		return complain(EXIT_USAGE, "--dtmf: the call is too short for it");
	const struct addr *to = o->to.family ? &o->to : &o->sip;

	if (!o->from.family)
		addr_parse(&o->from, to->family == 6 ? "::1" : "127.0.0.1",
			   to->family == 6 ? 3 : 9);
	if (to->family && o->from.family != to->family)
		return complain(EXIT_USAGE, "--from is not of the same family");
	if (o->to.family && o->to.port + 2 * o->calls * o->legs > 65536)
		return complain(EXIT_USAGE, "--to: so many legs have no ports");
	return 0;
}

int options_read(struct options *o, int argc, char **argv)
{
	struct option names[OPTIONS + 1] = {{0}};
	unsigned legs;
	int at;

	*o = (struct options){
		.calls = 1, .rate_milli = 10000, .length_ms = 10000, .seed = 1,
		.name = "callgen", .user = "trunkscribe", .report = "-",
		.plan = { .first_seq = -1, .first_ts = -1 },
	};
	for (int k = 0; k < LEGS_MAX; k++)
		o->ptime_ms[k] = 20;
	for (int i = 0; i < OPTIONS; i++)
		names[i] = (struct option){ rows[i].name, rows[i].what ?
			required_argument : no_argument, NULL, i };
	while ((at = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (at < 0 || at >= OPTIONS)
			return EXIT_USAGE;
		if (read_option(o, (enum which)at, optarg))
			return complain(EXIT_USAGE, "--%s is %s, not \"%s\"",
				    rows[at].name, rows[at].what, optarg);
	}
	if (o->help)
		return 0;
	if (optind < argc)
		return complain(EXIT_USAGE, "what is \"%s\"? see --help",
			    argv[optind]);
	if (!o->legs)
		o->legs = o->siprec ? 2 : 1;
	if (check(o))
		return EXIT_USAGE;
	legs = (unsigned)MIN(o->calls * o->legs, SOCKETS_MAX);
	if (!o->sockets)
		o->sockets = o->write ? legs : MIN(legs, 64);
	return 0;
}

struct plan_options options_plan(const struct options *o, unsigned k)
{
	struct plan_options p = o->plan;
	const unsigned ms = o->ptime_ms[k];

	p.law = o->law[k];
	p.frame = 8 * ms;
	p.frames = o->length_ms / ms;
	p.ssrc_at = o->ssrc_at_ms / ms;
	p.jump_at = o->jump_at_ms / ms;
	p.digits_at = o->digits_at_ms / ms;
	p.hold_at = o->hold_at_ms / ms;
	p.hold = o->hold_ms / ms;
	p.talk = (unsigned)(o->talk_ms / ms);
	p.quiet = (unsigned)(o->quiet_ms / ms);
	return p;
}
