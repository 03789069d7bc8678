/**
 * @file fuzz_control_line.c  The control socket's lines, daemon/ops/command.c
 *
 * Input: one line.  jansson is not instrumented, so a mutator of our own
 * changes members and values: what it makes is still JSON and reaches the code
 * behind the parser.
 */
#include <jansson.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/ops/control.h"
#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed);

/* -- what a command must keep, whatever came ------------------------------- */

static void check_id(const char *id, size_t room)
{
	const size_t n = strnlen(id, room);

	must(n > 0 && n < room);
	for (size_t i = 0; i < n; i++)
		must(id[i] > ' ' && id[i] != '/' && id[i] != '"' &&
		     (uint8_t)id[i] < 0x7f);
}

static void check_text(const char *text)
{
	must(!text || (*text && strnlen(text, COMMAND_TEXT) < COMMAND_TEXT));
}

static void check_command(const struct command *c)
{
	must(c->kind < COMMAND_KINDS && c->role <= ROLE_MIXED);
	must(c->payload_type >= -1 && c->payload_type < 128);
	must(c->payload_type < 0 || c->codec);
	must(!c->remote.family || (c->remote.port && !addr_is_any(&c->remote)));
	must(c->n_ids <= COMMAND_IDS);
	if (c->kind == COMMAND_LEG_ADD || c->kind == COMMAND_CALL_REGISTER)
		check_id(c->call, COMMAND_CALL);
	if (c->kind == COMMAND_LEG_END)
		check_id(c->leg, EVENT_ID);
	check_text(c->label);
	check_text(c->from);
	check_text(c->to);
	check_text(c->sip_call_id);
	for (size_t i = 0; i < c->n_ids; i++) {
		check_id(c->ids[i].name, EVENT_ID);
		check_text(c->ids[i].value);
	}
}

/* Whatever is answered, it is one line of JSON. */
static void check_answer(const char *id, const struct command *c,
			 const struct answer *a)
{
	struct buf line = {0};

	control_print(&line, id, c, a);
	must(!line.err && line.len < 8 * COMMAND_ERROR);
	must(memchr(line.data, '\n', line.len) == line.data + line.len - 1);
	json_t *o = json_loadb(buf_str(&line), line.len, 0, NULL);
	must(json_is_boolean(json_object_get(o, "ok")));
	must(json_is_true(json_object_get(o, "ok")) == !a->error[0]);
	must((*id != 0) == (json_object_get(o, "id") != NULL));
	json_decref(o);
	buf_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct command c = {0}, copy;
	struct answer a = {0};
	char id[COMMAND_ID];
	const int err = command_parse(&c, (const char *)data, len, id, a.error);

	must((err != 0) == (a.error[0] != 0));
	if (!err) {
		command_copy(&copy, &c);
		command_free(&c);
		check_command(&copy);
		check_answer(id, &copy, &a);
		command_free(&copy);
	} else {
		check_answer(id, &c, &a);
	}
	fuzz_count_input(!err);
	return 0;
}

/* -- the mutator: members and values, not bytes ---------------------------- */

static unsigned chance;

static unsigned roll(size_t n)
{
	chance = chance * 1664525u + 1013904223u;
	return (unsigned)((chance >> 8) % n);
}

static json_t *text(void)
{
	static const char *const texts[] = {
		"", "c1", "c1.1", "a b", "a/b", "PCMU", "PCMA", "L16", "opus",
		"caller", "agent", "mixed", "unknown", "king", "127.0.0.1:4000",
		"[2001:db8::1]:4000", "[::]:1", "0.0.0.0:9", "[:5", "]:5", ":",
		"1.2.3.4:65536", "1.2.3.4:0", "::1:5", "[1.2.3.4]:5",
		"[::ffff:1.2.3.4]:9", "leg.add", "leg.end", "call.register",
		"status", "drain", "\xe0\xa4\x95\xe0\xa4\x95\xe0\xa4\x95",
		"%s%n", "\n", "\x7f",
	};
	static const size_t sizes[] = { 39, 40, 41, 56, 57, 64, 65, 76, 78, 255,
					256 };
	char room[257];

	if (roll(6))
		return json_string(texts[roll(ARRAY_LEN(texts))]);
	const size_t n = sizes[roll(ARRAY_LEN(sizes))];
	memset(room, 'a' + (int)roll(26), n);
	room[n] = 0;
	return json_string(room);
}

static json_t *value(void)
{
	static const json_int_t ints[] = { 0, 1, -1, 127, 128, INT64_MAX,
					   INT64_MIN };
	json_t *o;

	switch (roll(8)) {
	case 0: return json_boolean(roll(2));
	case 1: return json_integer(ints[roll(ARRAY_LEN(ints))]);
	case 2: return roll(2) ? json_real(1.5) : json_null();
	case 3:
		o = json_object();
		for (unsigned n = roll(40); n > 0; n--) {
			json_t *key = text();
			json_object_set_new(o, json_string_value(key), text());
			json_decref(key);
		}
		return o;
	}
	return text();
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	static const char *const keys[] = {
		"id", "do", "call", "leg", "role", "codec", "payload_type",
		"label", "from", "to", "sip_call_id", "remote", "ids",
		"cancel", "x",
	};
	json_t *o = json_loadb((const char *)data, size, 0, NULL);

	chance = seed;
	if (!json_is_object(o) || !roll(20)) {
		json_decref(o);
		return LLVMFuzzerMutate(data, size, max);
	}
	for (unsigned n = 1 + roll(3); n > 0; n--) {
		const char *key = keys[roll(ARRAY_LEN(keys))];

		if (roll(5))
			json_object_set_new(o, key, value());
		else
			json_object_del(o, key);
	}
	const size_t n = json_dumpb(o, (char *)data, max, JSON_COMPACT);
	json_decref(o);
	return n <= max && n ? n : LLVMFuzzerMutate(data, size, max);
}
