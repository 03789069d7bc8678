/** @file test_call.c  daemon/call/call.c: what calls and legs publish of
 *                     themselves; their audio is tests/unit/ingress/test_tap.c's */
#include "daemon/call/call.h"

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
	case EVENT_LEG_END:
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
			    "leg end c1.1 caller bye at 3000\n"
			    "end c1 bye 1 at 3000\n");
	buf_free(&out);
	calls_free(calls);
	timers_free(timers);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_life) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
