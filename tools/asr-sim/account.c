/** @file account.c  What is kept of a connection, and its line in the report */
#include <inttypes.h>
#include <string.h>

#include "tools/asr-sim/conn_impl.h"

void conn_violation(struct conn *c, const char *kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	findings_add(&c->findings, true, kind, c->seg.position, fmt, ap);
	va_end(ap);
}

void conn_note(struct conn *c, const char *kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	findings_add(&c->findings, false, kind, c->seg.position, fmt, ap);
	va_end(ap);
}

enum key_verdict conn_key(struct conn *c, const char *key)
{
	const char *expected = c->sim->expect_key;
	const enum key_verdict v = !key || !*key ? KEY_MISSING
		: !expected ? KEY_PRESENT
		: strcmp(key, expected) ? KEY_WRONG : KEY_RIGHT;
	static const char *const words[] = {
		[KEY_MISSING] = "missing", [KEY_PRESENT] = "present",
		[KEY_RIGHT] = "right", [KEY_WRONG] = "wrong",
	};

	c->key = words[v];
	if (v == KEY_WRONG)
		conn_violation(c, "key", "the key is not the one expected");
	return v;
}

void conn_config(struct conn *c, json_t *config)
{
	json_decref(c->config);
	c->config = config;
}

void conn_unique(struct conn *c, const char *what, const char *id)
{
	if (sim_id_seen(c->sim, id))
		conn_violation(c, what, "%s was used before", what);
}

static const char *encoding(const struct conn *c)
{
	return c->audio_known ? asr_encoding_name(c->encoding) : "unknown";
}

static json_t *account(const struct conn *c)
{
	json_t *line = json_pack("{s:I, s:s, s:s, s:s, s:s, s:O, s:s}",
		"connection", (json_int_t)c->id, "dialect",
		c->sim->dialect->name, "flavour", c->sim->flavour, "target",
		c->target, "peer", c->peer, "headers", c->headers, "key",
		c->key);
	json_t *more = json_pack("{s:O*, s:s, s:i, s:I, s:I, s:I, s:I}",
		"config", c->config, "encoding", encoding(c), "rate_hz",
		(int)c->seg.rate_hz, "messages", (json_int_t)c->messages,
		"chunks", (json_int_t)c->chunks, "bytes", (json_int_t)c->bytes,
		"samples", (json_int_t)c->seg.position);
	json_t *rest = json_pack("{s:o, s:I, s:I, s:b, s:o, s:o, s:s*}",
		"crc32", json_sprintf("%08" PRIx32, c->crc), "partials",
		(json_int_t)c->partials, "finals", (json_int_t)c->finals,
		"eof", c->ended, "violations", findings_json(&c->findings, true),
		"notes", findings_json(&c->findings, false), "plan",
		c->plan ? c->plan->text : NULL);
	json_t *end = json_pack("{s:s, s:i, s:s}", "by",
		c->end.by ? c->end.by : "simulator", "code", (int)c->end.code,
		"text", c->end.text);

	json_object_update(line, more);
	json_object_update(line, rest);
	json_object_set_new(line, "ended", end);
	if (c->dump)
		json_object_set_new(line, "dump",
				    json_sprintf("%" PRIu64 ".pcm", c->id));
	json_object_set_new(line, "ms", json_integer(c->opened_ms
		? (json_int_t)(uv_now(c->sim->loop) - c->opened_ms) : 0));
	json_decref(more);
	json_decref(rest);
	return line;
}

void account_report(const struct conn *c)
{
	if (!c->sim->report)
		return;
	json_t *line = account(c);

	if (json_dumpf(line, c->sim->report, JSON_COMPACT) == 0)
		fputc('\n', c->sim->report);
	fflush(c->sim->report);
	json_decref(line);
}

