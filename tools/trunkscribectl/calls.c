/** @file calls.c  trunkscribectl calls, call, metrics, and what is done to one */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/trunkscribectl/ask.h"
#include "tools/trunkscribectl/table.h"

/* "3:07:12", "4:59" */
static const char *age(char text[32], long long ms)
{
	const long long s = ms / 1000;

	if (s >= 3600)
		snprintf(text, 32, "%lld:%02lld:%02lld", s / 3600,
			 s / 60 % 60, s % 60);
	else
		snprintf(text, 32, "%lld:%02lld", s / 60, s % 60);
	return text;
}

static const char *seconds(char text[32], long long ms)
{
	snprintf(text, 32, "%.1f s", (double)ms / 1000);
	return text;
}

/* -- calls ------------------------------------------------------------------- */

/* "streaming", "2 streaming, 1 failed" */
static void put_states(struct table *t, const json_t *states)
{
	const bool one = json_object_size(states) == 1;
	struct buf b = {0};
	const char *name;
	json_t *n;

	json_object_foreach((json_t *)states, name, n) {
		if (b.len)
			buf_puts(&b, ", ");
		if (!one || json_integer_value(n) != 1)
			buf_printf(&b, "%lld ",
				   (long long)json_integer_value(n));
		buf_puts(&b, name);
	}
	table_put(t, b.len ? buf_str(&b) : NULL);
	buf_free(&b);
}

static void put_call(struct table *t, const json_t *c)
{
	char text[32];

	table_put(t, text_of(c, "call"));
	table_put(t, text_of(c, "source"));
	table_put(t, age(text, number_of(c, "age_ms")));
	table_put(t, text_of(c, "from"));
	table_put(t, text_of(c, "to"));
	table_putf(t, "%lld", number_of(c, "legs"));
	table_put(t, seconds(text, number_of(c, "backlog_ms")));
	table_put(t, seconds(text, number_of(c, "lost_ms")));
	if (json_is_true(json_object_get(c, "ending")))
		table_put(t, "ending");
	else
		put_states(t, json_object_get(c, "asr_states"));
}

/* All of them, page by page.  @return NULL: what failed has been said */
static json_t *all_calls(const struct options *o)
{
	json_t *all = json_array();
	long long after = 0;

	do {
		json_t *a = ask(o, json_pack("{s:s, s:I}", "do", "calls",
					     "after", (json_int_t)after));

		if (!a) {
			json_decref(all);
			return NULL;
		}
		json_array_extend(all, json_object_get(a, "calls"));
		after = number_of(a, "next");
		json_decref(a);
	} while (after);
	return all;
}

int command_calls(const struct options *o)
{
	static const char *const heads[] = {
		"CALL", "SOURCE", "#AGE", "FROM", "TO", "#LEGS", "#BACKLOG",
		"#LOST", "ASR", NULL };
	struct table t = { .heads = heads };
	struct buf out = {0};
	struct screen s;
	json_t *all = all_calls(o), *c;
	size_t i;

	if (!all)
		return FAILED;
	if (o->json) {
		put_json(all);
	} else if (!json_array_size(all)) {
		puts("no calls");
	} else {
		screen_init(&s);
		json_array_foreach(all, i, c)
			put_call(&t, c);
		table_print(&out, &s, &t);
		table_free(&t);
	}
	json_decref(all);
	return put_out(&out);
}

/* -- one ----------------------------------------------------------------------- */

static void field(struct buf *out, const struct screen *s, const char *name,
		  const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static void field(struct buf *out, const struct screen *s, const char *name,
		  const char *fmt, ...)
{
	struct buf line = {0};
	va_list ap;

	buf_printf(&line, "    %-12s ", name);
	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	screen_line(out, s, COLOUR_NONE, buf_str(&line));
	buf_free(&line);
}

static void put_rtp(struct buf *out, const struct screen *s, const json_t *rtp)
{
	const json_t *mos = json_object_get(rtp, "mos");
	const long long packets = number_of(rtp, "packets");
	const long long lost = number_of(rtp, "lost");
	const long long all = packets + lost;

	if (text_of(rtp, "src"))
		field(out, s, "RTP from", "%s to %s, SSRC %08llx",
		      text_of(rtp, "src"), text_of(rtp, "dst"),
		      (unsigned long long)number_of(rtp, "ssrc"));
	field(out, s, "RTP", "%lld packets, %lld lost (%.1f %%), %lld late, "
	      "%lld twice, %lld out of order", packets, lost,
	      all ? 100.0 * (double)lost / (double)all : 0,
	      number_of(rtp, "late"), number_of(rtp, "duplicate"),
	      number_of(rtp, "reordered"));
	if (mos)
		field(out, s, "quality", "MOS %.1f, jitter %.1f ms",
		      json_real_value(mos),
		      json_real_value(json_object_get(rtp, "jitter_ms")));
}

static void put_history(struct buf *out, const struct screen *s,
			const json_t *all)
{
	struct buf line = {0};
	char text[32];
	json_t *h;
	size_t i;

	json_array_foreach((json_t *)all, i, h) {
		const char *state = text_of(h, "asr_state");
		const char *why = text_of(h, "reason");

		buf_clear(&line);
		buf_printf(&line, "    %-12s %8s ago  %s", i ? "" : "history",
			   seconds(text, number_of(h, "ago_ms")),
			   state ? state : "-");
		if (why)
			buf_printf(&line, " (%s)", why);
		if (text_of(h, "text"))
			buf_printf(&line, ": %s", text_of(h, "text"));
		screen_line(out, s, COLOUR_NONE, buf_str(&line));
	}
	buf_free(&line);
}

static void put_leg(struct buf *out, const struct screen *s, const json_t *l)
{
	const json_t *n = json_object_get(l, "samples");
	const char *state = text_of(l, "asr_state");
	const char *trouble = text_of(l, "last_trouble_text");
	struct buf head = {0};

	buf_printf(&head, "\n  leg %s, %s%s", text_of(l, "leg"),
		   text_of(l, "role"),
		   json_is_true(json_object_get(l, "ending")) ? ", ending"
		   : json_is_true(json_object_get(l, "media")) ? ""
		   : ", no packet yet");
	screen_line(out, s, COLOUR_BOLD, buf_str(&head) + 1);
	buf_free(&head);
	if (json_object_get(l, "rtp"))
		put_rtp(out, s, json_object_get(l, "rtp"));
	field(out, s, "audio", "%.1f s received, %.1f s sent, %.1f s lost, "
	      "%.1f s paused, %.1f s waiting",
	      (double)number_of(n, "received") / 8000,
	      (double)number_of(n, "sent") / 8000,
	      (double)number_of(n, "lost") / 8000,
	      (double)number_of(n, "paused") / 8000,
	      (double)number_of(l, "backlog_ms") / 1000);
	field(out, s, "ASR", "%s%s%s%s", text_of(l, "asr"), state ? ": " : "",
	      state ? state : "",
	      text_of(l, "unusable") ? " (its audio cannot be used)" : "");
	if (json_object_get(l, "finals"))
		field(out, s, "", "%lld connections, %lld finals, p95 %lld ms",
		      number_of(l, "connections"), number_of(l, "finals"),
		      number_of(l, "final_latency_p95_ms"));
	if (trouble)
		field(out, s, "last trouble", "%s: %s",
		      text_of(l, "last_trouble"), trouble);
	put_history(out, s, json_object_get(l, "history"));
}

static void put_one(struct buf *out, const struct screen *s, const json_t *c)
{
	const json_t *legs = json_object_get(c, "legs");
	struct buf head = {0};
	char text[32];
	json_t *l;
	size_t i;

	buf_printf(&head, "call %s, %s, %s%s", text_of(c, "call"),
		   text_of(c, "source"), age(text, number_of(c, "age_ms")),
		   json_is_true(json_object_get(c, "ending")) ? ", ending"
							      : "");
	if (text_of(c, "from") || text_of(c, "to"))
		buf_printf(&head, ", from %s to %s",
			   text_of(c, "from") ? text_of(c, "from") : "?",
			   text_of(c, "to") ? text_of(c, "to") : "?");
	screen_line(out, s, COLOUR_BOLD, buf_str(&head));
	buf_free(&head);
	json_array_foreach((json_t *)legs, i, l)
		put_leg(out, s, l);
	if (number_of(c, "legs_left_out"))
		buf_printf(out, "  and %lld more legs\n",
			   number_of(c, "legs_left_out"));
}

int command_call(const struct options *o)
{
	json_t *a = ask(o, json_pack("{s:s, s:s}", "do", "call", "call",
				     o->id));
	const json_t *call = json_object_get(a, "call");
	struct buf out = {0};
	struct screen s;

	if (!a)
		return FAILED;
	if (o->json) {
		put_json(call);
	} else {
		screen_init(&s);
		put_one(&out, &s, call);
	}
	json_decref(a);
	return put_out(&out);
}

/* -- others ---------------------------------------------------------------------- */

int command_done(const struct options *o)
{
	json_t *a = ask(o, json_pack("{s:s, s:s}", "do", o->verb, "call",
				     o->id));

	if (a && o->json)
		put_json(a);
	json_decref(a);
	return !a || fflush(stdout) ? FAILED : 0;
}

/* In pieces of one moment; as JSON it is one text. */
int command_metrics(const struct options *o)
{
	long long from = 0;
	struct buf all = {0};

	do {
		json_t *a = ask(o, json_pack("{s:s, s:I}", "do", "metrics",
					     "from", (json_int_t)from));

		if (!a) {
			buf_free(&all);
			return FAILED;
		}
		buf_puts(&all, text_of(a, "metrics"));
		from = number_of(a, "next");
		json_decref(a);
	} while (from);
	if (o->json) {
		json_t *text = json_string(buf_str(&all));

		put_json(text);
		json_decref(text);
		buf_clear(&all);
	}
	return put_out(&all);
}
