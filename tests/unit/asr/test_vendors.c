/**
 * @file test_vendors.c  Every vendor, against what its service really sends
 *
 * tests/data/asr/<vendor>/
 *   <case>.json   one message          <case>.jsonl  one message a line, all
 *   <case>.want   what parse() must report            in one session
 *
 * In a .jsonl a line may also say what we do meanwhile:
 *   @set NAME VALUE   as in a .set file, before anything else
 *   @tick MS          so much later
 *   @audio  @keepalive  @flush  @finish   we send that
 *   @end              drained
 *
 *   sent<...>.set the configuration    sent<...>.want  what we send with it
 *   meaning.want  "CODE class words" for each code the service documents
 *
 * A new vendor needs no code here.
 */
#include <errno.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/asr/vendor.h"
#include "daemon/base/array.h"
#include "tests/unit/asr/say.h"

#define DATA "tests/data/asr/"

static const char session_id[] = "6b7c1f0e-3f0c-4c2b-9e07-0f3fdc0f8a11";

/* -- files ----------------------------------------------------------------- */

static struct buf slurp(const char *path)
{
	struct buf b = {0};
	FILE *f = fopen(path, "rb");
	char part[4096];
	size_t n;

	if (!f)
		fail_msg("%s: cannot be opened", path);
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_add(&b, part, n);
	fclose(f);
	assert_int_equal(0, b.err);
	return b;
}

static struct buf beside(const char *path, const char *ending)
{
	const char *dot = strrchr(path, '.');
	char name[512];

	snprintf(name, sizeof(name), "%.*s%s", (int)(dot - path), path, ending);
	return slurp(name);
}

static const struct asr_vendor *vendor_of(const char *path)
{
	const char *name = path + strlen(DATA);
	char text[64];

	snprintf(text, sizeof(text), "%.*s", (int)strcspn(name, "/"), name);
	const struct asr_vendor *v = asr_vendor_by_name(text);
	if (!v)
		fail_msg("%s: no such vendor", path);
	return v;
}

static void must_equal(const char *path, const struct buf *want,
		       const struct buf *got)
{
	assert_int_equal(0, got->err);
	if (!strcmp(buf_str(want), buf_str(got)))
		return;
	/* cmocka would cut a long one */
	fprintf(stderr, "%s\n--- want\n%s--- got\n%s", path, buf_str(want),
		buf_str(got));
	fail_msg("%s", path);
}

/* Run `check` over every file the pattern names; there must be some. */
static void each(const char *pattern, void (*check)(const char *path))
{
	glob_t g;

	if (glob(pattern, 0, NULL, &g))
		fail_msg("%s: no files; run from the top directory", pattern);
	for (size_t i = 0; i < g.gl_pathc; i++)
		check(g.gl_pathv[i]);
	globfree(&g);
}

/* -- one session ------------------------------------------------------------ */

struct session {
	struct asr_settings settings;
	struct asr_param params[16];
	struct asr_session s;
	uint64_t now_us;
};

static void session_init(struct session *se, const struct asr_vendor *v)
{
	memset(se, 0, sizeof(*se));
	se->settings = (struct asr_settings){
		.target = "/", .host = "asr.example", .model = "",
		.language = "", .customer_id = "", .key = "secret-key",
		.wire = v->wires[0], .chunk_ms = v->chunk_ms,
		.params = se->params,
	};
	se->s = (struct asr_session){ .settings = &se->settings,
				      .id = session_id };
	se->now_us = 1000000;
	if (v->state_size > 0) {
		se->s.state = calloc(1, v->state_size);
		assert_non_null(se->s.state);
	}
}

static void session_fini(struct session *se, const struct asr_vendor *v)
{
	if (v->close)
		v->close(&se->s);
	free(se->s.state);
}

/* In a block of its own, so that a sanitizer sees one byte too many. */
static int feed(const struct asr_vendor *v, const struct session *se,
		const char *text, size_t len, struct buf *out)
{
	const struct asr_sink sink = sink_to(out);
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	const int ret = v->parse(&se->s, copy, len, se->now_us, &sink);

	free(copy);
	return ret;
}

static void feed_and_say(const struct asr_vendor *v, const struct session *se,
			 const char *text, size_t len, struct buf *out)
{
	const int ret = feed(v, se, text, len, out);

	if (ret == 1)
		buf_puts(out, "unknown\n");
	else if (ret == -EBADMSG)
		buf_puts(out, "EBADMSG\n");
	else if (ret != 0)
		buf_printf(out, "error %d\n", ret);
}

static void set_param(struct session *se, char *text)
{
	char *value = strchr(text, '=');

	assert_non_null(value);
	assert_true(se->settings.n_params < ARRAY_LEN(se->params));
	*value++ = '\0';
	se->params[se->settings.n_params++] =
		(struct asr_param){ .name = text, .value = value };
}

static void set_one(struct session *se, const char *path, const char *name,
		    char *value)
{
	struct asr_settings *s = &se->settings;
	const struct { const char *name; const char **to; } texts[] = {
		{ "target", &s->target }, { "host", &s->host },
		{ "model", &s->model }, { "language", &s->language },
		{ "customer-id", &s->customer_id }, { "key", &s->key },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!strcmp(texts[i].name, name)) {
			*texts[i].to = value;
			return;
		}
	if (!strcmp(name, "param"))
		set_param(se, value);
	else if (!strcmp(name, "rate"))
		s->wire.rate_hz = (uint32_t)strtoul(value, NULL, 10);
	else if (!strcmp(name, "chunk"))
		s->chunk_ms = (uint32_t)strtoul(value, NULL, 10);
	else if (!strcmp(name, "encoding"))
		for (s->wire.encoding = ASR_PCM_S16LE;
		     strcmp(asr_encoding_name(s->wire.encoding), value) != 0;
		     s->wire.encoding++)
			assert_true(s->wire.encoding < ASR_ALAW);
	else
		fail_msg("%s: what is %s?", path, name);
}

/* What we do between two messages. */
static void act(const struct asr_vendor *v, struct session *se, char *line,
		const char *path, struct buf *out)
{
	static const uint8_t audio[6] = { 0x01, 0, 0xfe, 0xff, 0x34, 0x12 };
	const struct asr_sink sink = sink_to(out);
	struct asr_message m = {0};
	char *value = line + strcspn(line, " ");
	const bool end = !strcmp(line, "@end");

	if (*value)
		*value++ = '\0';
	if (!strcmp(line, "@set")) {
		char *text = value + strcspn(value, " ");

		*text++ = '\0';
		set_one(se, path, value, text);
	} else if (!strcmp(line, "@tick") || end) {
		se->now_us += strtoull(value, NULL, 10) * 1000;
		if (v->tick)
			v->tick(&se->s, se->now_us, end, &sink);
	} else if (!strcmp(line, "@audio")) {
		if (v->audio)
			v->audio(&se->s, audio, sizeof(audio), &m);
	} else if (!strcmp(line, "@keepalive")) {
		v->keepalive(&se->s, &m);
	} else if (!strcmp(line, "@flush")) {
		v->flush(&se->s, &m);
	} else if (!strcmp(line, "@finish")) {
		v->finish(&se->s, &m);
	} else {
		fail_msg("%s: what is %s?", path, line);
	}
	buf_free(&m.bytes);
}

static void check_sample(const char *path)
{
	const struct asr_vendor *v = vendor_of(path);
	const bool lines = path[strlen(path) - 1] == 'l';
	struct buf msg = slurp(path), want = beside(path, ".want"), got = {0};
	struct session se;

	session_init(&se, v);
	buf_puts(&msg, "");
	for (char *at = (char *)msg.data; *at;) {
		const size_t n = lines ? strcspn(at, "\n") : msg.len;
		char *next = at + n + (at[n] == '\n');

		if (lines)
			at[n] = '\0';
		if (lines && *at == '@')
			act(v, &se, at, path, &got);
		else
			feed_and_say(v, &se, at, n, &got);
		at = next;
	}
	must_equal(path, &want, &got);
	session_fini(&se, v);
	buf_free(&msg);
	buf_free(&want);
	buf_free(&got);
}

static void test_samples_give_what_they_should(void **state)
{
	(void)state;
	each(DATA "*/*.json*", check_sample);
}

/* No part of a JSON object is one: nothing may be made of it. */
static void check_prefixes(const char *path)
{
	const struct asr_vendor *v = vendor_of(path);
	struct buf msg = slurp(path), got = {0};

	while (msg.len > 0 && msg.data[msg.len - 1] == '\n')
		msg.len--;
	for (size_t n = 0; n < msg.len && n < 2000; n++) {
		struct session se;

		session_init(&se, v);
		if (feed(v, &se, buf_str(&msg), n, &got) != -EBADMSG || got.len)
			fail_msg("%s: cut to %zu bytes: %s", path, n,
				 buf_str(&got));
		session_fini(&se, v);
	}
	buf_free(&msg);
	buf_free(&got);
}

static void test_a_message_cut_off_is_refused(void **state)
{
	(void)state;
	each(DATA "*/*.json", check_prefixes);
}

/* -- what we send ------------------------------------------------------------ */

static void read_settings(struct session *se, const char *path, char *text)
{
	char *end;

	for (char *line = text; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		char *value = line + strcspn(line, " ");

		if (*value)
			*value++ = '\0';
		if (*line)
			set_one(se, path, line, value);
	}
}

static void say_message(struct buf *out, const char *what,
			struct asr_message *m)
{
	buf_printf(out, "%s %s", what, m->binary ? "binary" : "text");
	if (m->binary)
		for (size_t i = 0; i < m->bytes.len; i++)
			buf_printf(out, " %02x", m->bytes.data[i]);
	else
		buf_printf(out, " %s", buf_str(&m->bytes));
	buf_puts(out, "\n");
	assert_int_equal(0, m->bytes.err);
	buf_free(&m->bytes);
}

static void say_headers(const struct asr_vendor *v,
			const struct asr_session *s, struct buf *out)
{
	struct buf lines = {0};

	if (v->headers)
		v->headers(s, &lines);
	for (const char *at = buf_str(&lines); *at;) {
		const size_t n = strcspn(at, "\r\n");

		if (strncmp(at + n, "\r\n", 2))
			fail_msg("%s: a header line ends otherwise: %s",
				 v->name, at);
		buf_printf(out, "%.*s\n", (int)n, at);
		at += n + 2;
	}
	buf_free(&lines);
}

static void say_sent(const struct asr_vendor *v, const struct asr_session *s,
		     struct buf *out)
{
	static const uint8_t audio[6] = { 0x01, 0, 0xfe, 0xff, 0x34, 0x12 };
	struct asr_message m = {0};

	if (v->check && v->check(s->settings))
		buf_printf(out, "check %s\n", v->check(s->settings));
	if (v->target)
		v->target(s, out);
	else
		buf_puts(out, s->settings->target);
	buf_puts(out, "\n");
	say_headers(v, s, out);
	const struct {
		const char *name;
		void (*fn)(const struct asr_session *, struct asr_message *);
	} messages[] = {
		{ "hello", v->hello }, { "keepalive", v->keepalive },
		{ "flush", v->flush }, { "finish", v->finish },
	};
	for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
		if (!strcmp(messages[i].name, "finish") && v->audio) {
			v->audio(s, audio, sizeof(audio), &m);
			say_message(out, "audio", &m);
			m = (struct asr_message){0};
		}
		if (!messages[i].fn)
			continue;
		messages[i].fn(s, &m);
		say_message(out, messages[i].name, &m);
		m = (struct asr_message){0};
	}
}

static void check_sent(const char *path)
{
	const struct asr_vendor *v = vendor_of(path);
	struct buf set = slurp(path), want = beside(path, ".want"), got = {0};
	struct session se;

	session_init(&se, v);
	buf_puts(&set, "");
	if (set.data)
		read_settings(&se, path, (char *)set.data);
	say_sent(v, &se.s, &got);
	must_equal(path, &want, &got);
	session_fini(&se, v);
	buf_free(&set);
	buf_free(&want);
	buf_free(&got);
}

static void test_what_we_send_is_this_to_the_byte(void **state)
{
	(void)state;
	each(DATA "*/sent*.set", check_sent);
}

/* -- what codes mean ---------------------------------------------------------- */

static void check_meaning(const char *path)
{
	const struct asr_vendor *v = vendor_of(path);
	struct buf want = slurp(path), got = {0};

	for (const char *at = buf_str(&want); *at;) {
		const unsigned code = (unsigned)strtoul(at, NULL, 10);
		const char *why = NULL;
		const enum reason_class c = v->meaning(code, &why);

		buf_printf(&got, "%u %s %s\n", code, reason_name(c),
			   why ? why : "-");
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	must_equal(path, &want, &got);
	buf_free(&want);
	buf_free(&got);
}

static void test_codes_mean_what_the_pages_say(void **state)
{
	(void)state;
	each(DATA "*/meaning.want", check_meaning);
}

/* -- the contract's own rules ---------------------------------------------------- */

static void check_data(const struct asr_vendor *v)
{
	print_message("%s\n", v->name);
	assert_ptr_equal(v, asr_vendor_by_name(v->name));
	assert_int_equal(strlen(v->name),
			 strspn(v->name, "abcdefghijklmnopqrstuvwxyz0123456789"));
	assert_true(!strncmp(v->url, "ws://", 5) || !strncmp(v->url, "wss://", 6));
	assert_true(v->n_wires > 0);
	for (size_t i = 0; i < v->n_wires; i++)
		assert_true(v->wires[i].rate_hz == 8000 ||
			    v->wires[i].rate_hz == 16000);
	assert_true(v->chunk_min_ms <= v->chunk_ms);
	assert_true(v->chunk_ms > 0 && v->chunk_ms <= v->chunk_max_ms);
	assert_true(v->catchup == 0 || v->catchup >= 1);
	assert_true(v->drain_ms > 0 && v->drain_ms <= v->drain_max_ms);
	assert_non_null(v->finish);
	assert_non_null(v->parse);
	assert_true(v->idle != ASR_IDLE_MESSAGE || v->keepalive);
	assert_true(v->idle == ASR_IDLE_MESSAGE ||
		    v->idle == ASR_IDLE_SILENCE || !v->keepalive);
	assert_true(!v->flush_first || v->flush);
	assert_true(v->idle == ASR_IDLE_NONE || v->idle_next_ms > 0);
	assert_true(v->idle != ASR_IDLE_SILENCE || v->idle_first_ms > 0);
}

/* Every vendor's parser gets what no service should send. */
static void check_nonsense(const struct asr_vendor *v)
{
	static const char *const rows[] = {
		"", " ", "{", "[]", "null", "7", "\"x\"", "{}x", "{} {}",
		"{\"a\":1,\"a\":2}", "{\"type\":1e999}", "{\"\\u0000\":1}",
		"{\"a\":99999999999999999999}", "{'a':1}", "{\"a\":\"\x01\"}",
		"{\"a\":\"\\ud800\"}",
	};
	struct buf got = {0};
	struct session se;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		session_init(&se, v);
		if (feed(v, &se, rows[i], strlen(rows[i]), &got) != -EBADMSG ||
		    got.len)
			fail_msg("%s took %s", v->name, rows[i]);
		session_fini(&se, v);
	}
	buf_free(&got);
}

static void test_every_vendor_keeps_the_contract(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct asr_vendor *v; (v = asr_vendor_at(n)); n++) {
		char pattern[128];

		check_data(v);
		check_nonsense(v);
		/* and brings its samples */
		snprintf(pattern, sizeof(pattern), DATA "%s/sent.set", v->name);
		each(pattern, check_sent);
		if (v->meaning) {
			snprintf(pattern, sizeof(pattern),
				 DATA "%s/meaning.want", v->name);
			each(pattern, check_meaning);
		}
	}
	assert_true(n > 0);
	assert_null(asr_vendor_by_name(""));
	assert_null(asr_vendor_by_name("bodh"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples_give_what_they_should),
		cmocka_unit_test(test_a_message_cut_off_is_refused),
		cmocka_unit_test(test_what_we_send_is_this_to_the_byte),
		cmocka_unit_test(test_codes_mean_what_the_pages_say),
		cmocka_unit_test(test_every_vendor_keeps_the_contract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
