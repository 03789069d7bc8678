/**
 * @file fuzz_subscriber_line.c  What a subscriber may say, daemon/pub/request.c
 *
 * Input: lines, as a client sends them.  jansson is not instrumented, so a
 * mutator of our own changes members and values instead of bytes: what it
 * makes is still JSON and reaches the code behind the parser.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/must.h"
#include "daemon/pub/request.h"
#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed);

/* -- what a choice must keep, whatever came ------------------------------- */

static void check_id(const char *id)
{
	const size_t n = strnlen(id, EVENT_ID);

	must(n > 0 && n < EVENT_ID);
	for (size_t i = 0; i < n; i++)
		must(id[i] > ' ' && id[i] != '/' && id[i] < 0x7f);
}

static void check_wants(const struct request *r)
{
	bool any = false;

	for (int t = 0; t <= EVENT_DAEMON; t++) {
		const bool one = request_wants(r, (enum event_type)t,
					       "c1") ||
				 request_wants(r, (enum event_type)t,
					       "asr_down");
		must(!one || r->types >> t & 1);
		any |= r->types >> t & 1;
	}
	for (size_t i = 0; i < r->n_calls; i++)
		must(!(r->types & 1) ||
		     request_wants(r, EVENT_CALL_START, r->calls[i]));
	for (size_t i = 0; i < r->n_daemon; i++)
		must(request_wants(r, EVENT_DAEMON, r->daemon[i]));
	must(any);
}

static void check_hello(const struct request *r)
{
	must(r->from != FROM_RESUME || r->name[0]);
	must(r->from != FROM_SEQ || (r->seq > 0 && r->seq <= INT64_MAX));
	must(r->types != 0 && r->types >> (EVENT_DAEMON + 1) == 0);
	must(r->n_calls <= REQUEST_CALLS);
	must(r->n_daemon <= REQUEST_DAEMON_TYPES);
	if (r->name[0])
		check_id(r->name);
	for (size_t i = 0; i < r->n_calls; i++)
		check_id(r->calls[i]);
	for (size_t i = 0; i < r->n_daemon; i++)
		check_id(r->daemon[i]);
	check_wants(r);
}

static bool feed(const char *line, size_t len)
{
	static struct request r, before;
	char error[REQUEST_ERROR] = "";
	char *copy = malloc(len ? len : 1);

	must(copy);
	memcpy(copy, line, len);
	memset(&r, 0xa5, sizeof(r));
	before = r;
	const int err = request_parse(&r, copy, len, error);

	free(copy);
	if (err) {
		must(err == -EBADMSG);
		must(error[0] && memchr(error, 0, sizeof(error)));
		must(!memcmp(&r, &before, sizeof(r)));
		return false;
	}
	if (r.kind == REQUEST_HELLO)
		check_hello(&r);
	else
		must(r.kind == REQUEST_ACK && r.ack_seq <= INT64_MAX);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const char *at = (const char *)data, *const end = at + len;
	bool good = false;

	while (at < end) {
		const char *line = memchr(at, '\n', (size_t)(end - at));
		const size_t n = (size_t)((line ? line : end) - at);

		good |= feed(at, n);
		at += n + (line != NULL);
	}
	fuzz_count_input(good);
	return 0;
}

/* -- the mutator: members and values, not bytes ---------------------------- */

static unsigned chance;

static unsigned roll(unsigned n)
{
	chance = chance * 1664525u + 1013904223u;
	return (chance >> 8) % n;
}

static json_t *odd_text(void)
{
	static const char *const texts[] = {
		"", "*", "now", "oldest", "resume", "crm", "c1", "a/b", "a b",
		"00000000000000ab:1", "00000000000000ab:0",
		"ffffffffffffffff:9223372036854775807",
		"00000000000000ab:99999999999999999999",
		"00000000000000AB:1", ":1", "ab:1", "segment", "gap", "speech",
		"call.start", "leg.end", "daemon.*", "daemon.asr_down",
		"daemon.", "daemon", "\xe0\xa4\x95", "\n", "%s%n",
	};
	char id[80];

	if (roll(8))
		return json_string(texts[roll(ARRAY_LEN(texts))]);
	const size_t n = 60 + roll(10); /* about the longest id */
	memset(id, 'a' + (int)roll(26), n);
	id[n] = 0;
	return json_string(id);
}

static json_t *odd_value(void)
{
	static const json_int_t ints[] = { 0, 1, -1, 2, 1000, INT64_MAX,
					   INT64_MIN };
	json_t *list;

	switch (roll(8)) {
	case 0: return json_null();
	case 1: return json_boolean(roll(2));
	case 2: return json_integer(ints[roll(ARRAY_LEN(ints))]);
	case 3: return json_real(1.5);
	case 4: return json_object();
	case 5:
		list = json_array();
		for (unsigned n = roll(40); n > 0; n--)
			json_array_append_new(list, odd_text());
		return list;
	}
	return odd_text();
}

static json_t *good_value(const char *key)
{
	static const char *const froms[] = { "now", "oldest", "resume",
					     "00000000000000ab:12" };
	static const char *const types[] = {
		"call.start", "call.update", "leg.start", "leg.update",
		"leg.media", "leg.state", "segment", "speech", "gap",
		"discontinuity", "dtmf", "pause", "resume", "leg.end",
		"call.end", "daemon.*", "daemon.asr_down",
	};
	json_t *list;

	if (!strcmp(key, "hello"))
		return json_integer(1);
	if (!strcmp(key, "from"))
		return json_string(froms[roll(ARRAY_LEN(froms))]);
	if (!strcmp(key, "name"))
		return json_string("crm");
	if (!strcmp(key, "partials") || (!strcmp(key, "ack") && roll(2)))
		return json_boolean(roll(2));
	if (!strcmp(key, "ack"))
		return json_integer(roll(5000));
	list = json_array();
	for (unsigned n = 1 + roll(4); n > 0; n--)
		json_array_append_new(list, !strcmp(key, "types")
			? json_string(types[roll(ARRAY_LEN(types))])
			: json_string(roll(4) ? "c1" : "*"));
	return list;
}

static void mutate_line(json_t *o)
{
	static const char *const keys[] = { "hello", "name", "from", "types",
					    "calls", "partials", "ack",
					    "later" };
	const char *key = keys[roll(ARRAY_LEN(keys))];
	json_t *list = json_object_get(o, roll(2) ? "types" : "calls");

	switch (roll(6)) {
	case 0:
		json_object_del(o, key);
		break;
	case 1:
		json_object_set_new(o, key, odd_value());
		break;
	case 2:
		if (json_is_array(list)) {
			json_array_append_new(list, odd_text());
			break;
		} /* fall through */
	default:
		json_object_set_new(o, key, good_value(key));
	}
}

/* One of the lines, mutated; the others stay. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	struct buf out = {0};
	const char *at = (const char *)data, *const end = at + size;
	const char *line = NULL;
	size_t len = 0;

	chance = seed;
	if (roll(10) == 0) /* what is no JSON has its share */
		return LLVMFuzzerMutate(data, size, max);
	unsigned n = 1;
	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	for (unsigned pick = roll(n);; pick--) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		line = at;
		len = (size_t)((lf ? lf : end) - at);
		at = lf ? lf + 1 : end;
		if (!pick || !lf)
			break;
	}
	json_t *o = json_loadb(line, len, 0, NULL);
	if (!json_is_object(o)) {
		json_decref(o);
		o = json_pack("{s:i}", "hello", 1);
	}
	for (unsigned times = 1 + roll(3); times > 0; times--)
		mutate_line(o);
	char *text = json_dumps(o, roll(4) ? JSON_COMPACT : JSON_INDENT(0));
	json_decref(o);
	buf_add(&out, data, (size_t)(line - (const char *)data));
	if (text)
		buf_puts(&out, text);
	buf_add(&out, line + len, (size_t)(end - line) - len);
	free(text);
	if (out.len > max)
		out.len = max;
	if (out.len)
		memcpy(data, out.data, out.len);
	size = out.len;
	buf_free(&out);
	return size;
}
