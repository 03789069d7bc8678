/**
 * @file fuzz_config.c  Configuration files through daemon/cfg/
 *
 * libconfuse is not instrumented, so bytes changed at random would seldom get
 * behind it: the mutator writes sections and keys of the table, good and bad
 * values for them, and moves whole lines about.
 */
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/cfg/config.h"
#include "daemon/cfg/table.h"
#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed);

/* What the daemon does with a good file. */
static void use(const struct config *c)
{
	static const char *const numbers[] = { "", "+4930", "0800" };

	for (size_t i = 0; i < c->n_asrs; i++) {
		const struct config_asr *a = &c->asrs[i];

		must(config_asr(c, a->name) == a);
		must(*a->vendor && a->url && a->proxy && a->encoding);
		must(a->n_params <= CONFIG_PARAMS_MAX);
		must(!*a->fallback || config_asr(c, a->fallback));
		for (size_t p = 0; p < a->n_params; p++)
			must(*a->params[p].name && a->params[p].value);
	}
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		for (enum role r = ROLE_UNKNOWN; r <= ROLE_MIXED; r++)
			config_route(c, &(struct leg_facts){
				.source = "replay", .calling = numbers[i],
				.called = numbers[i], .language = "en",
				.role = r });
	must(*c->events.socket && c->journal.size >= 1024 * 1024);
}

/* Every line of the errors tells the place and holds no control character. */
static void check_errors(const struct buf *errors)
{
	const char *line = buf_str(errors);

	must(errors->len > 0 && line[errors->len - 1] == '\n');
	for (; *line; line = strchr(line, '\n') + 1) {
		must(!strncmp(line, "f:", 2) && line[2] >= '1' &&
		     line[2] <= '9');
		for (const char *c = line; *c != '\n'; c++)
			must((unsigned char)*c >= ' ');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct config *c = NULL;
	struct buf errors = {0};
	const int err = config_parse(&c, "f", (const char *)data, len, &errors);

	if (err) {
		must(!c);
		check_errors(&errors);
	} else {
		must(errors.len == 0);
		use(c);
	}
	config_free(c);
	buf_free(&errors);
	fuzz_count_input(!err);
	return 0;
}

/* -- the mutator ---------------------------------------------------------- */

static unsigned chance(unsigned *state, unsigned n)
{
	*state = *state * 1664525u + 1013904223u; /* Numerical Recipes */
	return (*state >> 8) % n;
}

static const char *const values[] = {
	"yes", "no", "0660", "\"256M\"", "\"24h\"", "\"100ms\"", "\"5s\"",
	"\"\"", "\"main\"", "\"b\"", "none", "bodhi", "\"vosk\"", "pcm",
	"\"wss://stt.example/v1?x=1\"", "\"ws://127.0.0.1:2700\"",
	"\"ws://[::1]/\"", "\"ws://10.0.0.1\"", "\"wss://u:p@h\"", "1000",
	"99999999999999999999", "-1", "\"/run/x.sock\"", "agent", "replay",
	"\"+4930\"", "'x\ny'", "\"\\n\\\"\"", "{}", "{\"a=1\"}",
	"{\"a=1\", 'b={\"c\":[1,2]}',}", "{\"udp:127.0.0.1:5090\"}", "{x",
	"\"unclosed", "\"${HOME}\"", "ws://x", "\xc3\xa4", "\x80",
};

static void put_key(struct buf *out, unsigned *r, const char *section)
{
	const struct config_key *k = &config_keys[chance(r, (unsigned)
						  config_n_keys)];

	/* mostly one of the section's own */
	for (unsigned i = 0; i < 200 && strcmp(k->section, section) != 0 &&
	     chance(r, 100) > 0; i++)
		k = &config_keys[chance(r, (unsigned)config_n_keys)];
	const bool preset = *k->preset && chance(r, 3) > 0;

	buf_printf(out, "  %s %s ", k->name, chance(r, 20) ? "=" : "+=");
	if (preset)
		buf_printf(out, "\"%s\"", k->preset);
	else if (k->example && chance(r, 2))
		buf_puts(out, k->example);
	else
		buf_puts(out, values[chance(r, ARRAY_LEN(values))]);
	buf_puts(out, chance(r, 10) ? "\n" : " # x\n");
}

static void put_section(struct buf *out, unsigned *r)
{
	const struct config_section *s =
		&config_sections[chance(r, (unsigned)config_n_sections)];
	const unsigned keys = chance(r, 4);

	buf_puts(out, s->name);
	if (s->titled)
		buf_printf(out, " \"%c\"", 'a' + (int)chance(r, 4));
	buf_puts(out, " {\n");
	if (s->home == HOME_ASR)
		buf_puts(out, "  vendor = bodhi\n");
	if (s->home == HOME_ROUTE)
		buf_puts(out, "  asr = none\n");
	for (unsigned i = 0; i < keys; i++)
		put_key(out, r, s->name);
	buf_puts(out, "}\n");
}

/* A value that the key takes. */
static void put_good_value(struct buf *out, unsigned *r,
			   const struct config_key *k)
{
	static const char *const urls[] = {
		"wss://a", "WSS://a.b:1/c?d=e", "ws://localhost/", "ws://[::1]",
	};
	static const char *const params[] = {
		"{}", "\"a=1\"", "{\"a=\", 'b=[1,\n\t\"x\"]',}",
		"{'c={\"d\":null}'}", "{\"e=\\n\\\"\\\\\"}",
	};
	const char *word = k->choices;

	switch (k->type) {
	case CONFIG_URL:
		buf_printf(out, "\"%s\"", urls[chance(r, ARRAY_LEN(urls))]);
		break;
	case CONFIG_PROXY:
		buf_puts(out, chance(r, 2) ? "\"http://p:3128\""
					   : "\"HTTP://[::1]:1/\"");
		break;
	case CONFIG_PIN:
		for (unsigned i = 0; i < 64; i++)
			buf_printf(out, "%s%x%s", i ? "" : "\"", chance(r, 16),
				   i < 63 ? "" : "\"");
		break;
	case CONFIG_PARAMS:
		buf_puts(out, params[chance(r, ARRAY_LEN(params))]);
		break;
	case CONFIG_CHOICE:
		for (unsigned i = chance(r, 4); i > 0 && strchr(word, ' '); i--)
			word = strchr(word, ' ') + 1;
		buf_printf(out, "%.*s", (int)strcspn(word, " "), word);
		break;
	case CONFIG_DURATION:
		buf_printf(out, "\"%u%s\"", 1 + chance(r, 4),
			   k->min > 999 ? "h" : "0ms");
		break;
	case CONFIG_SIZE:
		buf_printf(out, "\"%uM\"", 1 + chance(r, 999));
		break;
	case CONFIG_MODE:
		buf_printf(out, "0%o", chance(r, 01000) | 0100);
		break;
	case CONFIG_BOOL:
		buf_puts(out, chance(r, 2) ? "on" : "False");
		break;
	default:
		buf_printf(out, chance(r, 2) ? "\"%x\"" : "'/%x \xc3\xa4'",
			   chance(r, 65536));
	}
}

static void put_good_section(struct buf *out, unsigned *r,
			     const struct config_section *s, unsigned n)
{
	buf_printf(out, chance(r, 2) ? "%s " : "%s\n", s->name);
	if (s->titled)
		buf_printf(out, "\"a%u\" ", n);
	buf_puts(out, "{\n");
	for (size_t i = 0; i < config_n_keys; i++) {
		const struct config_key *k = &config_keys[i];
		const bool link = !strcmp(k->name, "fallback") ||
				  !strcmp(k->name, "asr");

		if (strcmp(k->section, s->name) != 0 || k->later)
			continue;
		if (!strcmp(k->name, "vendor"))
			buf_puts(out, "  vendor = bodhi\n");
		else if (link && (s->home == HOME_ROUTE || n > 0))
			buf_printf(out, "  %s = \"a%u\"\n", k->name,
				   n > 0 ? chance(r, n) : 0);
		else if (!link && chance(r, 3) == 0) {
			buf_printf(out, "  %s = ", k->name);
			put_good_value(out, r, k);
			buf_puts(out, chance(r, 5) ? "\n" : " // x\n");
		}
	}
	buf_puts(out, "}\n");
}

/* A whole file that is good. */
static void put_good_file(struct buf *out, unsigned *r)
{
	const unsigned asrs = chance(r, 4), routes = asrs ? chance(r, 4) : 0;

	for (size_t i = 0; i < config_n_sections; i++) {
		const struct config_section *s = &config_sections[i];

		if (s->home == HOME_CONFIG && chance(r, 2))
			put_good_section(out, r, s, 0);
		for (unsigned n = 0; s->home == HOME_ASR && n < asrs; n++)
			put_good_section(out, r, s, n);
		for (unsigned n = 0; s->home == HOME_ROUTE && n < routes; n++)
			put_good_section(out, r, s, asrs);
	}
}

/* The name of the section that `at` stands in: the last word before "{" at
 * the beginning of a line. */
static const char *section_at(const char *text, size_t at)
{
	for (size_t i = at; i-- > 0;)
		for (size_t k = 0; k < config_n_sections; k++) {
			const char *name = config_sections[k].name;

			if ((i == 0 || text[i - 1] == '\n') &&
			    !strncmp(text + i, name, strlen(name)))
				return name;
		}
	return "asr";
}

/* One change before, at or instead of the line that begins at `at`. */
static void change_line(struct buf *out, unsigned *r, const char *text,
			size_t at, size_t len)
{
	switch (chance(r, 6)) {
	case 0:                                   /* drop it */
		break;
	case 1:                                   /* twice */
		buf_add(out, text + at, len);
		buf_add(out, text + at, len);
		break;
	case 2:                                   /* another key after it */
	case 3:
		buf_add(out, text + at, len);
		put_key(out, r, section_at(text, at + (len > 0)));
		break;
	case 4: {                                 /* another value */
		const char *eq = memchr(text + at, '=', len);

		if (eq) {
			buf_add(out, text + at, (size_t)(eq + 1 - text) - at);
			buf_puts(out, values[chance(r, ARRAY_LEN(values))]);
			buf_puts(out, "\n");
		}
		break;
	}
	default:
		put_section(out, r);
		buf_add(out, text + at, len);
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	unsigned r = seed;
	struct buf in = {0}, out = {0};
	size_t lines = 1, at = 0;

	if (chance(&r, 8) == 0)
		return LLVMFuzzerMutate(data, size, max);
	if (chance(&r, 3) > 0)
		put_good_file(&in, &r);
	else
		buf_add(&in, data, size);
	const char *text = buf_str(&in);

	size = in.len;
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	unsigned pick = chance(&r, (unsigned)lines);

	for (; at < size && pick > 0; at++)
		pick -= text[at] == '\n';
	const char *nl = memchr(text + at, '\n', size - at);
	const size_t len = nl ? (size_t)(nl + 1 - text) - at : size - at;

	buf_add(&out, text, at);
	if (chance(&r, 3) > 0)
		change_line(&out, &r, text, at, len);
	else
		buf_add(&out, text + at, len);
	buf_add(&out, text + at + len, size - at - len);
	size = MIN(out.len, max);
	if (size > 0)
		memcpy(data, out.data, size);
	buf_free(&in);
	buf_free(&out);
	return size;
}
