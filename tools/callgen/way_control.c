/** @file way_control.c  Legs added and ended by trunkscribed's control socket */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/number.h"
#include "tools/callgen/control.h"
#include "tools/callgen/gen.h"

/* Waits for the answers about its legs. */
struct told {
	unsigned waiting;
	bool failed;
};

static int read_address(struct addr *out, const char *text)
{
	const char *colon = text ? strrchr(text, ':') : NULL;
	struct addr a;
	uint64_t port;

	if (!colon || number_parse(&port, colon + 1, strlen(colon + 1), 65535))
		return -1;
	const bool v6 = *text == '[';

	if (addr_parse(&a, text + v6, (size_t)(colon - text) - 2 * v6))
		return -1;
	a.port = (uint16_t)port;
	*out = a;
	return 0;
}

static bool was_done(const json_t *answer, const char *what)
{
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (json_is_true(json_object_get(answer, "ok")))
		return true;
	complain(EXIT_RUN, "%s: %s", what, error ? error : "no answer");
	return false;
}

static void on_ended(const json_t *answer, void *arg)
{
	struct call *c = arg;
	struct told *t = c->priv;

	t->failed |= !was_done(answer, "leg.end");
	if (--t->waiting)
		return;
	const bool good = !t->failed;

	free(t);
	gen_call_over(c, good);
}

static void end(struct call *c)
{
	struct told *t = c->priv;
	const unsigned legs = c->gen->o->legs;
	unsigned known = 0;

	for (unsigned k = 0; k < legs; k++)
		known += *c->legs[k].name != '\0';
	if (known == 0) {
		free(t);
		gen_call_over(c, false);
		return;
	}
	/* all first: the answers may come while we ask */
	t->waiting = known;
	for (unsigned k = 0; k < legs && known; k++)
		if (*c->legs[k].name && known--)
			control_ask(c->gen->way_state, json_pack("{s:s, s:s}",
				    "do", "leg.end", "leg", c->legs[k].name),
				    on_ended, c);
}

static void on_added(const json_t *answer, void *arg)
{
	struct leg *l = arg;
	struct call *c = l->call;
	struct told *t = c->priv;
	const char *name = json_string_value(json_object_get(answer, "leg"));

	if (!was_done(answer, "leg.add") || !name ||
	    read_address(&l->to, json_string_value(
				 json_object_get(answer, "address"))))
		t->failed = true;
	else
		snprintf(l->name, sizeof(l->name), "%s", name);
	if (--t->waiting)
		return;
	if (t->failed)
		end(c);
	else
		call_legs_begin(c);
}

static void begin(struct call *c)
{
	static const char *const roles[] = { "caller", "agent" };
	struct gen *g = c->gen;
	struct told *t = c->priv = calloc(1, sizeof(*t));
	char at[ADDR_TEXT];

	if (!t) {
		gen_call_over(c, false);
		return;
	}
	t->waiting = g->o->legs;
	for (unsigned k = 0; k < g->o->legs; k++) {
		struct leg *l = &c->legs[k];
		const struct addr from = sender_address(g->sender, l->number);

		control_ask(g->way_state, json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:s}", "do", "leg.add",
			"call", c->id, "codec", law_name(l->plan.o.law),
			"role", k < 2 ? roles[k] : "unknown", "label", l->label,
			"remote", addr_print(at, &from)), on_added, l);
	}
}

const struct way way_control = { .begin = begin, .end = end };
