/** @file faults.c  The script's faults take place */
#include <stdlib.h>
#include <string.h>

#include "tools/asr-sim/conn_impl.h"

static void hold(struct conn *c, unsigned bit, bool on)
{
	const unsigned before = c->hold;

	c->hold = on ? before | bit : before & ~bit;
	if (!c->hold != !before && c->ws && !c->over)
		websocket_pause(c->ws, c->hold != 0);
}

static void on_read_on(void *arg)
{
	struct conn *c = arg;

	conn_enter(c);
	hold(c, HOLD_SLOW, false);
	conn_leave(c);
}

/* What was kept back in a stall goes out now. */
static void on_resume(void *arg)
{
	struct conn *c = arg;

	conn_enter(c);
	hold(c, HOLD_STALL, false);
	say_held(c);
	conn_leave(c);
}

static void stall(struct conn *c, uint64_t ms)
{
	hold(c, HOLD_STALL, true);
	if (ms > 0 &&
	    !timer_once_open(&c->resume, c->sim->loop, on_resume, c))
		timer_once_start(c->resume, ms);
}

static void big(struct conn *c, uint64_t size)
{
	static const char head[] = "{\"type\":\"filler\",\"x\":\"";
	struct buf b = {0};

	buf_puts(&b, head);
	char *room = (char *)buf_room(&b, size);

	if (room) {
		const size_t n = size - strlen(head) - 2;

		memset(room, 'x', n);
		memcpy(room + n, "\"}", 2);
		websocket_send(c->ws, true, buf_str(&b), size);
	}
	buf_free(&b);
}

static void bad_json(struct conn *c, uint64_t n)
{
	static const char text[] = "{\"type\":\"partial\",\"text\":\"cut o";

	while (n-- > 0)
		websocket_send(c->ws, true, text, strlen(text));
}

static void drop(struct conn *c, bool reset)
{
	if (reset)
		websocket_reset(c->ws);
	conn_over(c, "simulator", 0, reset ? "reset" : "fin");
}

static void strike(struct conn *c, const struct fault *f)
{
	switch (f->kind) {
	case FAULT_OK:
	case FAULT_HTTP:
	case FAULT_DELAY:
	case FAULT_WRONG_ACCEPT:
	case FAULT_READY_DELAY:
		break;
	case FAULT_ERROR:
		c->sim->dialect->error(c, (unsigned)f->value,
				       "an error on purpose, from the script",
				       f->extra);
		break;
	case FAULT_CLOSE:
		conn_close(c, (unsigned)f->value);
		break;
	case FAULT_FIN:
	case FAULT_RESET:
		drop(c, f->kind == FAULT_RESET);
		break;
	case FAULT_STALL:
		stall(c, f->value);
		break;
	case FAULT_MUTE:
		c->mute = true;
		break;
	case FAULT_SLOW:
		c->slow = f->value;
		break;
	case FAULT_PINGS:
		for (uint64_t n = f->value; n > 0; n--)
			websocket_ping(c->ws);
		break;
	case FAULT_BIG:
		big(c, f->value);
		break;
	case FAULT_BAD_JSON:
		bad_json(c, f->value);
		break;
	case FAULT_WILD_TIMES:
		c->wild = true;
		break;
	case FAULT_TWICE:
		c->twice = true;
		break;
	case FAULT_RETRACT:
	case FAULT_GROW:
		c->sim->dialect->special(c, (int)f->kind);
		break;
	case FAULT_RAW:
		websocket_send_raw(c->ws, f->raw, f->value);
		break;
	}
}

static void strike_once(struct conn *c, const struct fault *f)
{
	const unsigned bit = 1u << (f - c->plan->faults);

	if (!conn_live(c) || c->fired & bit)
		return;
	c->fired |= bit;
	strike(c, f);
}

static void on_time(void *arg)
{
	struct fault_timer *t = arg;
	struct conn *c = t->conn;

	conn_enter(c);
	strike_once(c, t->fault);
	conn_leave(c);
}

static void each(struct conn *c, enum fault_when when, uint64_t at)
{
	for (size_t i = 0; c->plan && i < c->plan->n; i++) {
		const struct fault *f = &c->plan->faults[i];

		if (f->when == when && f->at <= at)
			strike_once(c, f);
	}
}

void faults_open(struct conn *c)
{
	for (size_t i = 0; c->plan && i < c->plan->n; i++) {
		struct fault_timer *t = &c->timers[i];

		t->conn = c;
		t->fault = &c->plan->faults[i];
		if (t->fault->when == WHEN_MS &&
		    !timer_once_open(&t->timer, c->sim->loop, on_time, t))
			timer_once_start(t->timer, t->fault->at);
	}
	each(c, WHEN_OPEN, 0);
}

void faults_eof(struct conn *c)
{
	each(c, WHEN_EOF, 0);
}

void faults_samples(struct conn *c, uint64_t position)
{
	each(c, WHEN_SAMPLES, position);
}

uint64_t faults_next_sample(const struct conn *c)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; c->plan && i < c->plan->n; i++) {
		const struct fault *f = &c->plan->faults[i];

		if (f->when == WHEN_SAMPLES && !(c->fired & 1u << i) &&
		    f->at < next)
			next = f->at;
	}
	return next;
}

void faults_read(struct conn *c, size_t len)
{
	if (c->slow == 0 || !conn_live(c))
		return;
	if (!c->read_on &&
	    timer_once_open(&c->read_on, c->sim->loop, on_read_on, c))
		return;
	hold(c, HOLD_SLOW, true);
	timer_once_start(c->read_on, len * 1000 / c->slow);
}

void faults_close(struct conn *c)
{
	for (size_t i = 0; i < PLAN_FAULTS; i++)
		timer_once_close(c->timers[i].timer);
	timer_once_close(c->resume);
	timer_once_close(c->read_on);
	buf_free(&c->held);
}
