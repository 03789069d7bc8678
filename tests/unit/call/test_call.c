/** @file test_call.c  daemon/call/call.c: what calls and legs publish of
 *                     themselves; their audio is tests/unit/ingress/test_tap.c's */
#include "daemon/call/call.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/buf.h"

static struct buf out;

static void print_participants(const struct event *e)
{
	for (size_t i = 0; i < e->call_start.n_participants; i++)
		buf_printf(&out, " %s=%s", e->call_start.participants[i].id,
			   role_name(e->call_start.participants[i].role));
	for (size_t i = 0; i < e->call_start.n_ids; i++)
		buf_printf(&out, " %s:%s", e->call_start.ids[i].name,
			   e->call_start.ids[i].value);
}

static void on_event(const struct event *e, void *arg)
{
	(void)arg;
	switch (e->type) {
	case EVENT_CALL_START:
	case EVENT_CALL_UPDATE:
		buf_printf(&out, "%s %s %s>%s",
			   e->type == EVENT_CALL_START ? "start" : "update",
			   e->call, e->call_start.from ? e->call_start.from : "",
			   e->call_start.to ? e->call_start.to : "");
		print_participants(e);
		break;
	case EVENT_LEG_START:
	case EVENT_LEG_UPDATE:
		buf_printf(&out, "%s %s %s %s %s",
			   e->type == EVENT_LEG_START ? "leg" : "leg update",
			   e->leg, role_name(e->role),
			   e->leg_start.role_source ? e->leg_start.role_source
						    : "-",
			   e->leg_start.label ? e->leg_start.label : "-");
		break;
	case EVENT_PAUSE:
	case EVENT_RESUME:
		buf_printf(&out, "%s %s %s @%u",
			   e->type == EVENT_PAUSE ? "pause" : "resume", e->leg,
			   e->pause.reason, (unsigned)e->pause.at);
		break;
	case EVENT_GAP:
		buf_printf(&out, "gap %s %u-%u %s", e->leg,
			   (unsigned)e->gap.start, (unsigned)e->gap.end,
			   e->gap.cause);
		break;
	case EVENT_DTMF:
		buf_printf(&out, "digit %c", e->dtmf.digit);
		break;
	case EVENT_LEG_END:
		buf_printf(&out, "received %u sent %u paused %u ",
			   (unsigned)e->leg_end.received,
			   (unsigned)e->leg_end.sent,
			   (unsigned)e->leg_end.paused);
		buf_printf(&out, "leg end %s %s %s", e->leg, role_name(e->role),
			   e->leg_end.reason);
		break;
	case EVENT_CALL_END:
		buf_printf(&out, "end %s %s %u", e->call, e->call_end.reason,
			   e->call_end.legs);
		break;
	default:
		return;
	}
	buf_printf(&out, " at %u\n", (unsigned)e->now_us);
}

static struct service *choose(const struct leg_facts *f, void *arg)
{
	(void)f;
	(void)arg;
	return NULL;
}

static void test_a_life(void **state)
{
	static const struct event_participant who[] = {
		{ "a", "sip:1@x", "", ROLE_CALLER, "1", "s" },
		{ "b", "sip:2@x", "", ROLE_AGENT, "2", "t" },
	};
	struct timers *timers;
	struct calls *calls;
	struct call *c;
	struct leg *l;

	(void)state;
	assert_int_equal(timers_new(&timers), 0);
	timers_run(timers, 1000);
	const struct calls_config cfg = {
		.timers = timers, .events = { on_event, NULL },
		.choose = choose, .backlog = 8000,
	};

	assert_int_equal(calls_new(&calls, &cfg), 0);
	assert_int_equal(call_open(&c, calls, &(struct call_info){
		.id = "c1", .source = "siprec", .from = "1", .to = "2",
		.ids = &(struct event_id){ "x", "y" }, .n_ids = 1,
		.participants = who, .n_participants = 1 }), 0);
	assert_int_equal(leg_open(&l, c, &(struct leg_info){
		.role = ROLE_AGENT, .role_source = "labels", .label = "1",
		.rtp.payload_type = -1 }), 0);
	timers_run(timers, 2000);
	call_update(c, &(struct call_news){
		.to = "3", .ids = &(struct event_id){ "x", "z" }, .n_ids = 1,
		.participants = who, .n_participants = 2 });
	leg_update(l, ROLE_CALLER, "participants", NULL);
	timers_run(timers, 3000);
	call_end(c, "bye");
	assert_int_equal(calls_count(calls), 0);
	assert_string_equal(buf_str(&out),
			    "start c1 1>2 a=caller x:y at 1000\n"
			    "leg c1.1 agent labels 1 at 1000\n"
			    "update c1 >3 a=caller b=agent x:z at 2000\n"
			    "leg update c1.1 caller participants - at 2000\n"
			    "received 0 sent 0 paused 0 leg end c1.1 caller bye at "
			    "3000\n"
			    "end c1 bye 1 at 3000\n");
	buf_free(&out);
	calls_free(calls);
	timers_free(timers);
}

/* -- pause -------------------------------------------------------------------- */

struct paused {
	struct timers *timers;
	struct calls *calls;
	struct call *c;
	struct leg *l[2];
};

static void begin(struct paused *p)
{
	const struct calls_config cfg = {
		.events = { on_event, NULL }, .choose = choose,
		.backlog = 8000, .dtmf = true,
	};
	struct calls_config mine = cfg;

	assert_int_equal(timers_new(&p->timers), 0);
	mine.timers = p->timers;
	assert_int_equal(calls_new(&p->calls, &mine), 0);
	assert_int_equal(call_open(&p->c, p->calls, &(struct call_info){
		.id = "c", .source = "rtp" }), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(leg_open(&p->l[i], p->c, &(struct leg_info){
			.kinds = { PAYLOAD_PCMU }, .rtp.payload_type = -1 }),
				 0);
	buf_clear(&out);
}

static void end(struct paused *p)
{
	calls_free(p->calls);
	timers_free(p->timers);
	buf_free(&out);
}

/* 20 ms of a leg, the `n`-th of it, that arrive in time. */
static void packet(struct paused *p, int leg, unsigned n)
{
	static const uint8_t payload[160];
	const struct rtp h = {
		.seq = (uint16_t)n, .ts = 160 * n, .ssrc = 1,
		.payload = payload, .len = 160, .wire_len = 160,
	};
	const uint64_t at_us = 1000000 + 20000ull * n;

	timers_run(p->timers, at_us);
	leg_packet(p->l[leg], &h, at_us);
}

static void test_a_pause_is_exact(void **state)
{
	struct paused p;

	(void)state;
	begin(&p);
	for (unsigned i = 0; i < 10; i++)
		packet(&p, 0, i);
	assert_int_equal(calls_pause(p.calls, "nobody", "ctl"), -ENOENT);
	assert_int_equal(calls_pause(p.calls, "c.1", "ctl"), 0);
	assert_int_equal(calls_pause(p.calls, "c.1", "ctl"), 0);
	leg_digit(p.l[0], '7');
	for (unsigned i = 10; i < 15; i++)
		packet(&p, 0, i);
	packet(&p, 0, 16); /* one is missing: what waits for it was said ... */
	assert_int_equal(calls_resume(p.calls, "c.1", "ctl"), 0);
	packet(&p, 0, 15); /* ... during the pause, and so was that */
	for (unsigned i = 17; i < 20; i++)
		packet(&p, 0, i);
	assert_int_equal(calls_resume(p.calls, "c.1", "ctl"), 0);
	leg_digit(p.l[0], '8');
	leg_end(p.l[0], "bye");
	assert_string_equal(
		buf_str(&out),
		"pause c.1 ctl @1600 at 1180000\n"
		"gap c.1 1600-2720 paused at 1340000\n"
		"resume c.1 ctl @2720 at 1340000\n"
		"digit 8 at 1380000\n"
		"received 3200 sent 2080 paused 1120 leg end c.1 unknown bye "
		"at 1380000\n");
	end(&p);
}

static void test_a_paused_call(void **state)
{
	struct paused p;
	struct leg *late;

	(void)state;
	begin(&p);
	for (unsigned i = 0; i < 5; i++)
		packet(&p, 0, i);
	packet(&p, 1, 4);
	assert_int_equal(calls_pause(p.calls, "c", "ctl"), 0);
	assert_int_equal(leg_open(&late, p.c, &(struct leg_info){
		.rtp.payload_type = -1 }), 0);
	packet(&p, 0, 5);
	packet(&p, 1, 5);
	assert_int_equal(calls_resume(p.calls, "c.2", "ctl"), 0);
	timers_run(p.timers, 1170000); /* nothing comes: it ends all the same */
	packet(&p, 1, 9);
	call_end(p.c, "bye");
	assert_string_equal(
		buf_str(&out),
		"pause c.1 ctl @800 at 1080000\n"
		"pause c.2 ctl @0 at 1080000\n"
		"leg c.3 unknown - - at 1080000\n"
		"pause c.3 call @0 at 1080000\n"
		"gap c.2 0-320 paused at 1140000\n"
		"resume c.2 ctl @320 at 1140000\n"
		"gap c.1 800-960 paused at 1180000\n"
		"received 960 sent 800 paused 160 "
		"leg end c.1 unknown bye at 1180000\n"
		"gap c.2 320-800 rtp_loss at 1180000\n"
		"received 480 sent 160 paused 320 "
		"leg end c.2 unknown bye at 1180000\n"
		"received 0 sent 0 paused 0 "
		"leg end c.3 unknown bye at 1180000\n"
		"end c bye 3 at 1180000\n");
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_life),
		cmocka_unit_test(test_a_pause_is_exact),
		cmocka_unit_test(test_a_paused_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
