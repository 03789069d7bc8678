/** @file test_telephone_event.c  daemon/media/telephone_event.c */
#include "daemon/media/telephone_event.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

static void test_parse(void **state)
{
	static const struct {
		const char *name;
		const char *bytes;
		size_t len;
		int err;
		struct telephone_event e;
	} rows[] = {
		{ "nothing", "", 0, -EBADMSG, { 0 } },
		{ "three bytes", "\x05\x0a\x03", 3, -EBADMSG, { 0 } },
		{ "5, -10 dBm0", "\x05\x0a\x03\x20", 4, 0,
		  { 5, false, 10, 800 } },
		{ "its end", "\x05\x8a\x03\x20", 4, 0, { 5, true, 10, 800 } },
		{ "the reserved bit", "\x05\x4a\x03\x20", 4, 0,
		  { 5, false, 10, 800 } },
		{ "all ones", "\xff\xff\xff\xff", 4, 0,
		  { 255, true, 63, 65535 } },
		{ "more behind", "\x05\x0a\x03\x20zzzz", 8, 0,
		  { 5, false, 10, 800 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct telephone_event e = { 0 };
		uint8_t *data = malloc(rows[i].len);

		memcpy(data, rows[i].bytes, rows[i].len);
		const int err = telephone_event_parse(&e, data, rows[i].len);
		free(data);
		if (err != rows[i].err || e.code != rows[i].e.code ||
		    e.end != rows[i].e.end || e.volume != rows[i].e.volume ||
		    e.duration != rows[i].e.duration)
			fail_msg("%s", rows[i].name);
	}
}

/* RFC 4733 section 3.2, table 3. */
static void test_digit(void **state)
{
	static const char want[] = "0123456789*#ABCD!";

	(void)state;
	for (unsigned code = 0; code < 256; code++)
		assert_int_equal(code < 17 ? want[code] : '\0',
				 telephone_event_digit((uint8_t)code));
}

/*
 * In: "5 t1000 d160" one packet of event 5, each 20 ms after the last; E marks
 * an end, "+300" lets 300 ms pass, "?" only looks, "." flushes.
 * Out: digit@position+duration; the position is the timestamp.
 */
static const struct {
	const char *name, *in, *out;
} rows[] = {
	{ "one", "5t1000d160 5t1000d320 5t1000d480E 5t1000d480E 5t1000d480E",
	  "5@1000+480" },
	{ "only an end", "5t1000d480E", "5@1000+480" },
	{ "end first, then the rest", "5t1000d480E 5t1000d160 5t1000d320",
	  "5@1000+480" },
	{ "turned round", "5t1000d320 5t1000d160 5t1000d480E", "5@1000+480" },
	{ "no end, the next begins", "5t1000d160 6t1800d160 6t1800d320E",
	  "5@1000+160 6@1800+320" },
	{ "no end, a short one follows", "5t1000d160 6t1800d160E",
	  "5@1000+160 6@1800+160" },
	{ "no end, the same again", "5t1000d160 5t3000d160E",
	  "5@1000+160 5@3000+160" },
	{ "no end, it stops", "5t1000d160 +199 ? 5t1000d320 +200 ?",
	  "5@1000+320" },
	{ "ends come after all", "5t1000d160 +300 ? 5t1000d480E",
	  "5@1000+160" },
	{ "a long pause, goes on", "5t1000d160 +300 5t1000d2720E",
	  "5@1000+2720" },
	{ "twice the same", "5t1000d160E 5t2000d160E", "5@1000+160 5@2000+160" },
	{ "old packets of the one before", "5t1000d160E 6t2000d160 5t1000d160E "
	  "6t2000d320E", "5@1000+160 6@2000+320" },
	{ "another digit, same timestamp", "5t1000d160E 6t1000d160E",
	  "5@1000+160 6@1000+160" },
	{ "timestamp begins again", "5t90000d160E 5t1000d160E",
	  "5@90000+160 5@1000+160" },
	{ "timestamp wraps", "5t4294967290d160 5t4294967290d320E 6t400d80E",
	  "5@4294967290+320 6@400+80" },
	{ "longer than 65535 (2.5.1.3)", "5t1000d65535 5t66535d160 5t66535d800E "
	  "5t66535d800E", "5@1000+66335" },
	{ "a tone", "66t1000d160E", "" },
	{ "a tone in between", "5t1000d160 66t1100d160 5t1000d320E",
	  "5@1000+320" },
	{ "flush", "5t1000d160 .", "5@1000+160" },
	{ "flush, nothing open", "5t1000d160E .", "5@1000+160" },
};

struct player {
	struct digits d;
	uint64_t at_us;
	char out[256];
	size_t len;
};

static void say(struct player *p, const struct digit *d)
{
	p->len += (size_t)snprintf(p->out + p->len, sizeof(p->out) - p->len,
				   "%s%c@%" PRIu64 "+%" PRIu64,
				   p->len ? " " : "", d->digit, d->pos, d->len);
}

static void feed(struct player *p, const struct telephone_event *e,
		 uint32_t ts)
{
	struct digit d;

	if (!digits_feed(&p->d, &d, e, ts, ts, p->at_us))
		return;
	say(p, &d);
	while (digits_feed(&p->d, &d, NULL, 0, 0, p->at_us))
		say(p, &d);
}

static void play(struct player *p, const char *in)
{
	struct telephone_event e;
	struct digit d;
	char *end;

	for (; *in; in = end + (*end == ' ')) {
		end = (char *)(uintptr_t)in + 1;
		if (*in == '+') {
			p->at_us += 1000 * strtoul(in + 1, &end, 10);
		} else if (*in == '?') {
			feed(p, NULL, 0);
		} else if (*in == '.') {
			if (digits_flush(&p->d, &d))
				say(p, &d);
		} else {
			e.code = (uint8_t)strtoul(in, &end, 10);
			const uint32_t ts = (uint32_t)strtoul(end + 1, &end,
							      10);
			e.duration = (uint16_t)strtoul(end + 1, &end, 10);
			e.end = *end == 'E';
			end += e.end;
			p->at_us += 20000;
			feed(p, &e, ts);
		}
	}
}

static void test_digits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct player p = { .at_us = 1000000 };

		play(&p, rows[i].in);
		if (strcmp(rows[i].out, p.out))
			fail_msg("%s: %s", rows[i].name, p.out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_digit),
		cmocka_unit_test(test_digits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
