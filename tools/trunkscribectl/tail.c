/**
 * @file tail.c  trunkscribectl tail: the transcript as people read it
 *
 *    call c1  alice -> bob
 *      time  caller                             agent
 *      0:01  hello, who is there?
 *      0:03                                     this is the bank, how may
 *                                               I help you?
 *      0:05  [2.0 s not heard: rtp_loss]
 *
 * Times count from the beginning of the call.  A line stands where its words
 * begin; lines come in the order in which they became final.
 */
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/list.h"
#include "tools/trunkscribectl/client.h"
#include "tools/trunkscribectl/screen.h"

enum { TIME = 8, GUTTER = 2, NARROW = 60, RECENT = 64, ID = 65, ROLE = 16,
       GAP_SHOWN_MS = 200 };

struct leg {
	struct list in;
	char id[ID];
	char role[ROLE];
	unsigned side;          /* 0 left, 1 right */
	json_int_t offset_ms;   /* Of its timeline from call.start */
	json_int_t recent[RECENT]; /* Segments that were printed */
	unsigned n_recent;
};

struct call {
	struct list in;
	char id[ID];
	struct list legs;
	char title[160];        /* Its first line */
	char titles[2][ROLE];   /* As last printed above the columns */
};

struct tail {
	struct screen screen;
	struct list calls;
	struct buf out;
	char shown[ID];         /* The call that the last line was of */
	unsigned ended;
};

static volatile sig_atomic_t coloured;

static void on_signal(int signal)
{
	(void)signal;
	if (coloured && write(STDOUT_FILENO, "\033[0m\n", 5) < 0)
		_exit(2);
	_exit(0);
}

static const char *text_of(const json_t *e, const char *key)
{
	const char *text = json_string_value(json_object_get(e, key));

	return text ? text : "";
}

static json_int_t number_of(const json_t *e, const char *key)
{
	return json_integer_value(json_object_get(e, key));
}

/* -- calls and legs -------------------------------------------------------- */

static struct call *call_of(struct tail *t, const char *id)
{
	list_each(&t->calls, item) {
		struct call *c = list_item(item, struct call, in);
		if (!strcmp(c->id, id))
			return c;
	}
	struct call *c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	snprintf(c->id, sizeof(c->id), "%s", id);
	snprintf(c->title, sizeof(c->title), "call %s", id);
	list_init(&c->legs);
	list_add(&t->calls, &c->in);
	return c;
}

static void call_free(struct call *c)
{
	list_each(&c->legs, item)
		free(list_item(item, struct leg, in));
	list_remove(&c->in);
	free(c);
}

/* The caller's column is the left one, the agent's the right one; of legs
   whose role is not known the first gets the left one. */
static unsigned side_of(const struct call *c, const char *role)
{
	unsigned taken[2] = {0};

	if (!strcmp(role, "caller") || !strcmp(role, "mixed"))
		return 0;
	if (!strcmp(role, "agent"))
		return 1;
	list_each(&c->legs, item)
		taken[list_item(item, struct leg, in)->side]++;
	return taken[0] > taken[1];
}

static struct leg *leg_of(struct call *c, const json_t *e)
{
	const char *id = text_of(e, "leg"), *role = text_of(e, "role");
	struct leg *l = NULL;

	list_each(&c->legs, item) {
		struct leg *one = list_item(item, struct leg, in);
		if (!strcmp(one->id, id))
			l = one;
	}
	if (!l) {
		l = calloc(1, sizeof(*l));
		if (!l)
			return NULL;
		snprintf(l->id, sizeof(l->id), "%s", id);
		l->side = side_of(c, role);
		list_add(&c->legs, &l->in);
	} else if (strcmp(l->role, role) != 0) {
		l->side = side_of(c, role);
	}
	snprintf(l->role, sizeof(l->role), "%s", role);
	return l;
}

/* Was this segment printed before? */
static bool again(struct leg *l, json_int_t segment)
{
	for (unsigned i = 0; i < MIN(l->n_recent, (unsigned)RECENT); i++)
		if (l->recent[i] == segment)
			return true;
	l->recent[l->n_recent++ % RECENT] = segment;
	return false;
}

/* -- printing --------------------------------------------------------------- */

static bool narrow(const struct tail *t)
{
	return t->screen.columns < NARROW;
}

static int column_width(const struct tail *t)
{
	const int room = t->screen.columns - TIME;

	return narrow(t) ? room : (room - GUTTER) / 2;
}

static void time_column(struct tail *t, json_int_t ms)
{
	char text[32];

	snprintf(text, sizeof(text),
		 "%3" JSON_INTEGER_FORMAT ":%02" JSON_INTEGER_FORMAT "  ",
		 ms / 60000, ms / 1000 % 60);
	buf_printf(&t->out, "%*s", TIME, text);
}

static void title(struct tail *t, struct call *c)
{
	screen_line(&t->out, &t->screen, COLOUR_BOLD, c->title);
	snprintf(t->shown, sizeof(t->shown), "%s", c->id);
	memset(c->titles, 0, sizeof(c->titles));
}

/* A recorded party by its name or address; else what the call's head says */
static const char *party(const json_t *e, const char *role, const char *key)
{
	const json_t *all = json_object_get(e, "participants");
	const json_t *p;
	size_t i;

	json_array_foreach(all, i, p)
		if (!strcmp(text_of(p, "role"), role))
			return *text_of(p, "name") ? text_of(p, "name")
						   : text_of(p, "aor");
	return text_of(e, key);
}

static void call_start(struct tail *t, struct call *c, const json_t *e)
{
	const char *from = party(e, "caller", "from");
	const char *to = party(e, "agent", "to");

	if (*from || *to)
		snprintf(c->title, sizeof(c->title), "call %s  %.40s -> %.40s",
			 c->id, from, to);
	title(t, c);
}

/* Say whose columns these are, when that is not what was said last. */
static void columns(struct tail *t, struct call *c)
{
	char now[2][ROLE] = { "", "" };

	if (strcmp(t->shown, c->id) != 0)
		title(t, c);
	list_each(&c->legs, item) {
		const struct leg *l = list_item(item, struct leg, in);
		if (!*now[l->side])
			memcpy(now[l->side], l->role, ROLE);
	}
	if (narrow(t) || !memcmp(now, c->titles, sizeof(now)))
		return;
	memcpy(c->titles, now, sizeof(now));
	struct buf line = {0};
	buf_printf(&line, "%*s%-*s%*s%s", TIME, "  time  ",
		   *now[1] ? column_width(t) : 0, now[0], *now[1] ? GUTTER : 0,
		   "", now[1]);
	screen_line(&t->out, &t->screen, COLOUR_DIM, buf_str(&line));
	buf_free(&line);
}

static void say(struct tail *t, struct call *c, struct leg *l, json_int_t ms,
		enum colour colour, const char *text)
{
	struct buf labelled = {0};
	const int width = column_width(t);
	const int indent = TIME + (l->side && !narrow(t) ? width + GUTTER : 0);

	columns(t, c);
	time_column(t, ms);
	buf_printf(&t->out, "%*s", indent - TIME, "");
	if (narrow(t))
		buf_printf(&labelled, "%s: %s", l->role, text);
	else
		buf_puts(&labelled, text);
	screen_wrap(&t->out, &t->screen, colour, buf_str(&labelled), indent,
		    width);
	buf_free(&labelled);
}

static void segment(struct tail *t, struct call *c, struct leg *l,
		    const json_t *e)
{
	const char *state = text_of(e, "state"), *text = text_of(e, "text");
	const json_int_t ms = l->offset_ms + number_of(e, "start_ms");
	struct buf b = {0};

	if (!strcmp(state, "retracted")) {
		if (again(l, number_of(e, "segment")))
			say(t, c, l, ms, COLOUR_DIM, "[that was withdrawn]");
	} else if (!strcmp(state, "final") && *text) {
		if (again(l, number_of(e, "segment")))
			buf_puts(&b, "[corrected] ");
		buf_puts(&b, text);
		say(t, c, l, ms, l->side ? COLOUR_RIGHT : COLOUR_LEFT,
		    buf_str(&b));
	}
	buf_free(&b);
}

/* What a gap lacks: its spans where it has some, they lie up to 1 s apart. */
static json_int_t lacking_ms(const json_t *e)
{
	const json_t *spans = json_object_get(e, "spans");
	json_int_t ms = 0;

	if (!json_array_size(spans))
		return number_of(e, "end_ms") - number_of(e, "start_ms");
	for (size_t i = 0; i < json_array_size(spans); i++) {
		const json_t *span = json_array_get(spans, i);

		ms += json_integer_value(json_array_get(span, 1)) -
		      json_integer_value(json_array_get(span, 0));
	}
	return ms;
}

static void gap(struct tail *t, struct call *c, struct leg *l, const json_t *e)
{
	const json_int_t ms = lacking_ms(e);
	char text[96];

	if (ms < GAP_SHOWN_MS)
		return;
	snprintf(text, sizeof(text), "[%" JSON_INTEGER_FORMAT ".%"
		 JSON_INTEGER_FORMAT " s not heard: %.40s]", ms / 1000,
		 ms / 100 % 10, text_of(e, "cause"));
	say(t, c, l, l->offset_ms + number_of(e, "start_ms"), COLOUR_DIM, text);
}

static void state(struct tail *t, struct call *c, const struct leg *l,
		  const json_t *e)
{
	const char *now = text_of(e, "asr_state");
	struct buf line = {0};

	if (strcmp(now, "failed") != 0 && strcmp(now, "reconnecting") != 0 &&
	    strcmp(now, "paused") != 0)
		return;
	columns(t, c);
	buf_printf(&line, "%*s[%s: transcription %s", TIME, "", l->role, now);
	if (*text_of(e, "reason"))
		buf_printf(&line, ", %s", text_of(e, "reason"));
	if (*text_of(e, "text"))
		buf_printf(&line, ": %s", text_of(e, "text"));
	buf_puts(&line, "]");
	screen_line(&t->out, &t->screen, COLOUR_DIM, buf_str(&line));
	buf_free(&line);
}

static void call_end(struct tail *t, struct call *c, const json_t *e)
{
	char text[160];
	const json_int_t s = number_of(e, "duration_ms") / 1000;

	snprintf(text, sizeof(text), "call %s ended: %.40s, %"
		 JSON_INTEGER_FORMAT ":%02" JSON_INTEGER_FORMAT, c->id,
		 text_of(e, "reason"), s / 60, s % 60);
	screen_line(&t->out, &t->screen, COLOUR_BOLD, text);
	if (!strcmp(t->shown, c->id))
		*t->shown = 0;
	call_free(c);
	t->ended++;
}

static void call_event(struct tail *t, const char *type, const json_t *e)
{
	struct call *c = call_of(t, text_of(e, "call"));
	struct leg *l = c && *text_of(e, "leg") ? leg_of(c, e) : NULL;

	if (c && !strcmp(type, "call.start"))
		call_start(t, c, e);
	else if (c && !strcmp(type, "call.end"))
		call_end(t, c, e);
	else if (!l)
		return;
	else if (!strcmp(type, "leg.media"))
		l->offset_ms = number_of(e, "offset_ms");
	else if (!strcmp(type, "segment"))
		segment(t, c, l, e);
	else if (!strcmp(type, "gap"))
		gap(t, c, l, e);
	else if (!strcmp(type, "leg.state"))
		state(t, c, l, e);
}

/* Lines that are no events. */
static void other(struct tail *t, const char *type, const json_t *e)
{
	char text[256] = "";

	if (!strcmp(type, "lost"))
		snprintf(text, sizeof(text), "[%" JSON_INTEGER_FORMAT
			 " events were lost: this reader was too slow]",
			 number_of(e, "to") - number_of(e, "from") + 1);
	else if (!strcmp(type, "error"))
		snprintf(text, sizeof(text), "[the daemon says: %.200s]",
			 text_of(e, "error"));
	if (*text)
		screen_line(&t->out, &t->screen, COLOUR_DIM, text);
}

static int show(struct tail *t, const char *line, size_t len)
{
	json_t *e = json_loadb(line, len, 0, NULL);
	const char *type = text_of(e, "type");

	if (*text_of(e, "call"))
		call_event(t, type, e);
	else
		other(t, type, e);
	json_decref(e);

	const size_t n = t->out.len;
	const bool bad = t->out.err ||
			 (n && fwrite(t->out.data, 1, n, stdout) != n) ||
			 fflush(stdout);
	buf_clear(&t->out);
	return bad ? 2 : 0;
}

int command_tail(const struct options *o)
{
	struct client *c = NULL;
	struct tail t = {0};
	char *line;
	size_t len;
	int got = 0;

	screen_init(&t.screen);
	list_init(&t.calls);
	coloured = t.screen.colour;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);

	const char *from = o->from ? o->from : o->id ? "oldest" : "now";
	int code = client_subscribe(&c, o, from, true);
	while (!code && !(t.ended && (o->once || o->id))) {
		got = client_line(c, &line, &len);
		if (got == 1) {
			code = show(&t, line, len);
			continue;
		}
		fprintf(stderr, "trunkscribectl: %s\n", got
			? strerror(-got) : "the daemon closed the connection");
		code = 2;
	}
	list_each(&t.calls, item)
		call_free(list_item(item, struct call, in));
	buf_free(&t.out);
	client_close(c);
	return code;
}
