/** @file test_receiver_random.c  daemon/media/receiver.c: any sender, any network
 *
 * Scripts as in script.h.
 */
#include "daemon/media/receiver.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "tests/unit/media/script.h"

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

enum { SENT = 300, COPIES = 2 * SENT };

struct arrival {
	uint32_t n;          /* of the packet */
	uint64_t at_us;
};

static int by_arrival(const void *a, const void *b)
{
	const struct arrival *x = a, *y = b;

	return x->at_us < y->at_us ? -1 : x->at_us > y->at_us;
}

/* A network: each packet delayed by less than the window minus one packet, so
 * none is late; one in twenty lost, one in twenty twice.  What must come out
 * is known from what was sent and lost. */
static void play_network(struct script *s, uint32_t x, char *want, size_t size)
{
	struct arrival *a = calloc(COPIES, sizeof(*a));
	size_t copies = 0, n = 0;
	uint32_t missing = 0;

	for (uint32_t i = 0; i < SENT; i++) {
		const bool lost = i && i < SENT - 1 && !dice(&x, 20);

		for (int k = lost ? 0 : dice(&x, 20) ? 1 : 2; k > 0; k--)
			a[copies++] = (struct arrival){
				i, i * 20000 + dice(&x, 39999)
			};
		if (lost) {
			missing++;
			continue;
		}
		if (missing)
			n += (size_t)snprintf(want + n, size - n, " l%u+%u",
					      (i - missing) * 160,
					      missing * 160);
		missing = 0;
		n += (size_t)snprintf(want + n, size - n, "%s%u:%u+160",
				      n ? " " : "", (i + 65400) & 255, i * 160);
	}
	qsort(a, copies, sizeof(*a), by_arrival);
	for (size_t i = 0; i < copies; i++) {
		uint8_t bytes[160];
		const struct rtp h = {
			.ssrc = 1, .seq = (uint16_t)(65400 + a[i].n),
			.ts = 4294960000u + a[i].n * 160, .payload = bytes,
			.len = sizeof(bytes), .wire_len = sizeof(bytes),
		};

		memset(bytes, h.seq & 255, sizeof(bytes));
		s->now_us = a[i].at_us;
		(void)receiver_put(s->receiver, &h, a[i].at_us);
		script_look(s);
	}
	receiver_flush(s->receiver);
	script_look(s);
	free(a);
}

static void test_network(void **state)
{
	static char want[sizeof(((struct script *)0)->out)];

	(void)state;
	for (uint32_t seed = 1; seed <= 100; seed++) {
		struct script s;

		assert_int_equal(0, script_open(&s));
		play_network(&s, seed * 2654435761u, want, sizeof(want));
		assert_null(s.broken);
		assert_string_equal(want, s.out);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_network),
		cmocka_unit_test(test_same_whenever_looked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
