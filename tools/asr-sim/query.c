/** @file query.c  Settings in the query of the upgrade, and what is wrong there */
#include "tools/asr-sim/query.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/asr/json.h"
#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/utf8.h"

bool query_path(const char *target, const char *path)
{
	const size_t n = strcspn(target, "?");

	return n == strlen(path) && !memcmp(target, path, n);
}

/* -- its text ------------------------------------------------------------------- */

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* WHATWG URL, application/x-www-form-urlencoded: '+' is a space. */
static bool decode(struct buf *out, const char *s, size_t n)
{
	bool well = true;

	buf_clear(out);
	for (size_t i = 0; i < n; i++) {
		char c = s[i] == '+' ? ' ' : s[i];

		if (c == '%') {
			const int hi = i + 2 < n ? hex_digit(s[i + 1]) : -1;
			const int lo = hi < 0 ? -1 : hex_digit(s[i + 2]);

			well &= lo >= 0;
			if (lo < 0)
				continue;
			c = (char)(hi << 4 | lo);
			i += 2;
		}
		if (c)
			buf_add(out, &c, 1);
	}
	if (out->data)
		utf8_clean((char *)out->data);
	return well;
}

struct pair {
	struct buf name, value;
};

/* Step over one "name=value"; NULL: that was the last one. */
static const char *next_pair(struct pair *p, const char *at, bool *well)
{
	const size_t n = strcspn(at, "&");
	const char *equals = memchr(at, '=', n);
	const size_t name = equals ? (size_t)(equals - at) : n;

	*well = decode(&p->name, at, name);
	*well &= decode(&p->value, equals ? equals + 1 : "",
			equals ? n - name - 1 : 0);
	return at[n] ? at + n + 1 : NULL;
}

char *query_redacted(const char *target)
{
	static const char *const secrets[] = {
		"token", "authorization", "jwt", "key", "api_key", "api-key",
	};
	const size_t path = strcspn(target, "?");
	struct buf out = {0};

	buf_add(&out, target, path);
	for (const char *at = target + path; *at;) {
		const size_t n = 1 + strcspn(at + 1, "&");
		const size_t name = strcspn(at + 1, "=&");
		bool secret = false;

		for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
			secret |= name == strlen(secrets[i]) &&
				  !strncasecmp(at + 1, secrets[i], name);
		buf_add(&out, at, secret ? name + 1 : n);
		if (secret)
			buf_puts(&out, "=***");
		at += n;
	}
	char *text = out.err ? NULL : strdup(buf_str(&out));

	buf_free(&out);
	return text;
}

/* -- its values --------------------------------------------------------------------- */

static bool is_word(const char *const *words, const char *s, size_t n)
{
	for (; *words; words++)
		if (strlen(*words) == n && !memcmp(*words, s, n))
			return true;
	return false;
}

static bool are_words(const char *const *words, const char *s)
{
	for (;; s++) {
		const size_t n = strcspn(s, ",");

		if (!is_word(words, s, n))
			return false;
		s += n;
		if (!*s)
			return true;
	}
}

static bool number(const char *s, bool integer, double *out)
{
	const size_t digits = strspn(s, "0123456789");
	const bool point = !integer && s[digits] == '.';
	const size_t more = point ? 1 + strspn(s + digits + 1, "0123456789") : 0;

	if (digits == 0 || digits > 15 || more > 15 || s[digits + more])
		return false;
	*out = strtod(s, NULL);
	return true;
}

static void judge(struct conn *c, const struct query_rule *r, const char *value)
{
	double v;

	switch (r->kind) {
	case QUERY_TEXT:
	case QUERY_SECRET:
		if (!*value)
			conn_violation(c, "query", "%s is empty", r->name);
		break;
	case QUERY_BOOL:
		if (strcmp(value, "true") && strcmp(value, "false"))
			conn_violation(c, "query", "%s is \"%.32s\", not true or "
				       "false", r->name, value);
		break;
	case QUERY_INTEGER:
	case QUERY_NUMBER:
		if (!number(value, r->kind == QUERY_INTEGER, &v))
			conn_violation(c, "query", "%s is \"%.32s\", no %s",
				       r->name, value,
				       r->kind == QUERY_INTEGER ? "integer"
								: "number");
		else if (v < r->min || v > r->max)
			conn_violation(c, "query", "%s is %.32s, not %g to %g",
				       r->name, value, r->min, r->max);
		break;
	case QUERY_WORD:
	case QUERY_WORDS:
		if (r->kind == QUERY_WORD
			    ? !is_word(r->words, value, strlen(value))
			    : !are_words(r->words, value))
			conn_violation(c, "query", "%s is \"%.32s\", which is "
				       "not documented", r->name, value);
		break;
	}
	if (r->unusual)
		conn_note(c, "query", "%s: %s", r->name, r->unusual);
}

static const struct query_rule *find(const struct query_rule *r, const char *name)
{
	while (r->name && strcmp(r->name, name))
		r++;
	return r->name ? r : NULL;
}

static void keep(json_t *query, json_t *shown, const struct query_rule *r,
		 const struct pair *p)
{
	const char *name = buf_str(&p->name), *value = buf_str(&p->value);
	const char *before = json_text(query, name);
	json_t *v = before && r && r->kind == QUERY_WORDS
			    ? json_sprintf("%s,%s", before, value)
			    : json_string(value);

	if (!r || r->kind != QUERY_SECRET)
		json_object_set(shown, name, v);
	json_object_set_new(query, name, v);
}

json_t *query_read(struct conn *c, const char *target,
		   const struct query_rule *rules)
{
	const char *at = strchr(target, '?');
	json_t *query = json_object(), *shown = json_object();
	struct pair p = {0};
	bool well = true;

	for (at = at && at[1] ? at + 1 : NULL; at;) {
		at = next_pair(&p, at, &well);
		const struct query_rule *r = find(rules, buf_str(&p.name));

		if (!well)
			conn_violation(c, "query", "the query is not encoded as "
				       "in a URL");
		if (r)
			judge(c, r, buf_str(&p.value));
		else
			conn_note(c, "query", "%.64s is no parameter that is "
				  "documented", buf_str(&p.name));
		keep(query, shown, r, &p);
	}
	buf_free(&p.name);
	buf_free(&p.value);
	conn_config(c, shown);
	return query;
}

/* -- for dialects -------------------------------------------------------------------- */

bool query_need(struct conn *c, const json_t *query, const char *name)
{
	const char *value = json_text(query, name);

	if (!value)
		conn_violation(c, "query", "%s is missing", name);
	return value && *value;
}

bool query_on(const json_t *query, const char *name, bool otherwise)
{
	const char *value = json_text(query, name);

	if (!value || (strcmp(value, "true") && strcmp(value, "false")))
		return otherwise;
	return *value == 't';
}

double query_number(const json_t *query, const char *name, double min,
		    double max, double otherwise)
{
	const char *value = json_text(query, name);
	double v;

	return value && number(value, false, &v) && v >= min && v <= max
		       ? v : otherwise;
}

bool query_audio(const json_t *query, enum asr_encoding otherwise,
		 uint32_t rate_hz, enum asr_encoding *encoding,
		 uint32_t *rate, const char **why)
{
	static const struct { const char *name; enum asr_encoding is; } known[] = {
		{ "linear16", ASR_PCM_S16LE },
		{ "mulaw", ASR_MULAW },
		{ "alaw", ASR_ALAW },
	};
	const char *name = json_text(query, "encoding");
	size_t i = 0;

	*encoding = otherwise;
	while (name && i < ARRAY_LEN(known) && strcmp(known[i].name, name))
		i++;
	if (name && i == ARRAY_LEN(known)) {
		*why = "{\"error\":\"this simulator takes the encodings "
		       "linear16, mulaw and alaw\"}";
		return false;
	}
	if (name)
		*encoding = known[i].is;
	*rate = (uint32_t)query_number(query, "sample_rate", 8000, 48000, 0);
	if (*rate == 0 && json_text(query, "sample_rate")) {
		*why = "{\"error\":\"sample_rate is not 8000 to 48000\"}";
		return false;
	}
	if (*rate == 0)
		*rate = rate_hz;
	return true;
}
