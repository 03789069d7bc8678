/**
 * @file test_metadata.c  daemon/ops/metadata.c
 *
 * A row's message -> what was understood, "member=value" in the order of the
 * header's list, then ids as "#name=value".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/ops/metadata.h"

#define ID47 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeee"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X250 X50 X50 X50 X50 X50

static const struct {
	const char *message, *understood;
} rows[] = {
	/* jambonz, telephony section 1.3.1 */
	{ "{\"sampleRate\":8000,\"mixType\":\"stereo\",\"callSid\":\"a-1\","
	  "\"callId\":\"9@h\",\"from\":\"+491\",\"to\":\"+492\","
	  "\"accountSid\":\"x y\"}",
	  "call=a-1 from=+491 to=+492 sip=9@h rate=8000 mix=3 "
	  "#accountSid=x y " },
	{ "{}", "" },
	{ "{\"call\":\"" ID47 "\"}", "call=" ID47 " " },
	{ "{\"call\":\"" ID47 "f\"}", "" },
	{ "{\"call\":\"\",\"callSid\":\"a b\",\"uuid\":\"u-1\"}",
	  "call=u-1 " },
	{ "{\"uuid\":\"u\",\"callSid\":\"s\",\"call\":\"c\"}", "call=c " },
	{ "{\"call\":\"a/b\"}", "" },
	{ "{\"call\":\"a\\u0000b\",\"from\":\"+4\\u00009\"}", "" },
	{ "{\"call\":7,\"from\":7,\"to\":[],\"role\":1,\"mix\":2}", "" },
	{ "{\"from\":\"\",\"to\":\"" X250 "12345\"}", "to=" X250 "12345 " },
	{ "{\"from\":\"" X250 "123456\"}", "" },
	{ "{\"callId\":\"1\",\"sip_call_id\":\"2\"}", "sip=2 " },
	{ "{\"language\":\"hi-IN\",\"role\":\"agent\"}",
	  "language=hi-IN role=agent " },
	{ "{\"role\":\"unknown\"}", "role=unknown " },
	{ "{\"role\":\"king\"}", "" },
	{ "{\"sampleRate\":\"8k\"}", "rate=8000 " },
	{ "{\"sampleRate\":\"16k\"}", "rate=16000 " },
	{ "{\"sample_rate\":\"44100\"}", "rate=44100 " },
	{ "{\"sample_rate\":\"1000k\"}", "" },
	{ "{\"sample_rate\":\"8 k\"}", "" },
	{ "{\"sample_rate\":\"k\"}", "" },
	{ "{\"sample_rate\":\"-8000\"}", "" },
	{ "{\"sample_rate\":-8000}", "" },
	{ "{\"sample_rate\":9223372036854775807}", "" },
	{ "{\"sample_rate\":0}", "" },
	{ "{\"sample_rate\":8000.0}", "" },
	{ "{\"channels\":2}", "mix=3 " },
	{ "{\"channels\":1}", "mix=1 " },
	{ "{\"channels\":3}", "" },
	{ "{\"channels\":2,\"mix\":\"mixed\"}", "mix=2 " },
	{ "{\"mix\":\"both\"}", "" },
	{ "{\"a\":\"b\",\"n\":-7,\"t\":true,\"f\":1.5,\"o\":{\"z\":1},"
	  "\"e\":\"\",\"x y\":\"1\"}", "#a=b #n=-7 " },
	{ "{\"big\":9223372036854775807}", "#big=9223372036854775807 " },
	/* any text at all */
	{ "", "" },
	{ "agent 7", "#metadata=agent 7 " },
	{ "[{}]", "#metadata=[{}] " },
	{ "{\"call\":\"a\"", "#metadata={\"call\":\"a\" " },
	{ X250 "1234\xc3\xa4", "#metadata=" X250 "1234 " },
};

static void print(struct buf *out, const struct metadata *m)
{
	const struct { const char *name, *value; } texts[] = {
		{ "call", *m->call ? m->call : NULL }, { "from", m->from },
		{ "to", m->to }, { "sip", m->sip_call_id },
		{ "language", m->language },
		{ "role", m->has_role ? role_name(m->role) : NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (texts[i].value)
			buf_printf(out, "%s=%s ", texts[i].name,
				   texts[i].value);
	if (m->rate)
		buf_printf(out, "rate=%u ", m->rate);
	if (m->mix)
		buf_printf(out, "mix=%d ", (int)m->mix);
	for (size_t i = 0; i < m->n_ids; i++)
		buf_printf(out, "#%s=%s ", m->ids[i].name, m->ids[i].value);
}

/* In a block of its exact length. */
static void parse(struct metadata *m, const char *text, size_t len)
{
	char *exact = malloc(len + !len);

	assert_non_null(exact);
	memcpy(exact, text, len);
	metadata_parse(m, exact, len);
	free(exact);
}

static void test_what_is_understood(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf got = {0};
		struct metadata m;

		parse(&m, rows[i].message, strlen(rows[i].message));
		print(&got, &m);
		if (strcmp(buf_str(&got), rows[i].understood) != 0)
			fail_msg("%s\n  is: %s\n not: %s", rows[i].message,
				 buf_str(&got), rows[i].understood);
		metadata_free(&m);
		buf_free(&got);
	}
}

static void test_ids_have_a_limit(void **state)
{
	struct buf text = {0};
	struct metadata m;

	(void)state;
	buf_puts(&text, "{\"to\":\"t\"");
	for (unsigned i = 0; i < METADATA_IDS + 5; i++)
		buf_printf(&text, ",\"k%u\":%u", i, i);
	buf_puts(&text, "}");
	parse(&m, buf_str(&text), text.len);
	assert_int_equal(m.n_ids, METADATA_IDS);
	assert_string_equal(m.ids[METADATA_IDS - 1].value, "31");
	assert_string_equal(m.to, "t");
	metadata_free(&m);
	buf_free(&text);
}

static void test_more_than_64_kib_is_not_looked_at(void **state)
{
	struct buf text = {0};
	struct metadata m;

	(void)state;
	buf_puts(&text, "{\"call\":\"c\",\"x\":\"");
	while (text.len < METADATA_MAX)
		buf_puts(&text, "x");
	buf_puts(&text, "\"}");
	parse(&m, buf_str(&text), text.len);
	assert_string_equal(m.call, "");
	assert_int_equal(m.n_ids, 1);
	assert_int_equal(strlen(m.ids[0].value), METADATA_TEXT - 1);
	metadata_free(&m);
	buf_free(&text);
}

static const struct {
	const char *message;
	char digit;
} digits[] = {
	{ "{\"event\":\"dtmf\",\"dtmf\":\"5\",\"duration\":\"100\"}", '5' },
	{ "{\"event\":\"dtmf\",\"dtmf\":\"#\"}", '#' },
	{ "{\"event\":\"dtmf\",\"dtmf\":\"55\"}", 0 },
	{ "{\"event\":\"dtmf\",\"dtmf\":\"\"}", 0 },
	{ "{\"event\":\"dtmf\",\"dtmf\":5}", 0 },
	{ "{\"event\":\"dtmf\"}", 0 },
	{ "{\"event\":\"mute\",\"dtmf\":\"5\"}", 0 },
	{ "{\"dtmf\":\"5\"}", 0 },
	{ "[\"dtmf\"]", 0 },
	{ "5", 0 },
	{ "", 0 },
};

static void test_digits(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(digits); i++)
		if (metadata_digit(digits[i].message,
				   strlen(digits[i].message)) !=
		    digits[i].digit)
			fail_msg("%s", digits[i].message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_understood),
		cmocka_unit_test(test_ids_have_a_limit),
		cmocka_unit_test(test_more_than_64_kib_is_not_looked_at),
		cmocka_unit_test(test_digits),
	};

	return cmocka_run_group_tests_name("metadata", tests, NULL, NULL);
}
