/** @file json.c  What services send, read with limits */
#include "daemon/asr/json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/number.h"
#include "daemon/base/utf8.h"

/*
 * jansson recurses to a depth of 2,048 and allocates each value it meets, so
 * brackets and commas are counted first.  Syntax does not matter here: what is
 * wrong is refused a moment later.
 */
static bool within_limits(const char *text, size_t len)
{
	size_t depth = 0, values = 1;
	bool string = false;

	for (size_t i = 0; i < len; i++) {
		const char c = text[i];

		if (string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				string = false;
			continue;
		}
		if (c == '"')
			string = true;
		else if (c == '[' || c == '{')
			depth++, values++;
		else if ((c == ']' || c == '}') && depth > 0)
			depth--;
		else if (c == ',')
			values++;
		if (depth > JSON_DEPTH_MAX || values > JSON_VALUES_MAX)
			return false;
	}
	return true;
}

json_t *json_message(const char *text, size_t len)
{
	if (!within_limits(text, len))
		return NULL;

	json_t *doc = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (doc && !json_is_object(doc)) {
		json_decref(doc);
		return NULL;
	}
	return doc;
}

bool json_is_value(const char *text, size_t len)
{
	json_t *doc = within_limits(text, len)
		? json_loadb(text, len, JSON_DECODE_ANY, NULL) : NULL;
	const bool is = doc != NULL;

	json_decref(doc);
	return is;
}

const char *json_text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static const char blanks[] = " \t\r\n";

/* A string without the blanks around it, cut to `most` bytes between
 * characters; in place.  NULL: no string, or no memory. */
static const char *trim(json_t *string, size_t most)
{
	const char *s = json_string_value(string);

	if (!s)
		return NULL;
	const size_t lead = strspn(s, blanks), len = strlen(s + lead);
	size_t n = len > most ? utf8_cut(s + lead, len, most) : len;

	while (n > 0 && strchr(blanks, s[lead + n - 1]))
		n--;
	if (n == len)
		return s + lead;
	char *copy = strndup(s + lead, n);
	const int err = copy ? json_string_setn(string, copy, n) : -1;

	free(copy);
	return err ? NULL : json_string_value(string);
}

const char *json_transcript(json_t *object, const char *name)
{
	return trim(json_object_get(object, name), RESULT_TEXT_MAX);
}

bool json_id(char out[JSON_ID_SIZE], const json_t *id)
{
	if (json_is_integer(id)) {
		snprintf(out, JSON_ID_SIZE, "%" JSON_INTEGER_FORMAT,
			 json_integer_value(id));
		return true;
	}
	const size_t len = json_string_length(id);

	if (len == 0 || len >= JSON_ID_SIZE)
		return false;
	const char *s = json_string_value(id);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
	memcpy(out, s, len + 1);
	return true;
}

unsigned json_code(const json_t *code)
{
	uint64_t v = 0;

	if (json_is_integer(code)) {
		const json_int_t i = json_integer_value(code);

		return i > 0 && i <= UINT16_MAX ? (unsigned)i : 0;
	}
	if (!json_is_string(code) ||
	    number_parse(&v, json_string_value(code), json_string_length(code),
			 UINT16_MAX))
		return 0;
	return (unsigned)v;
}

int64_t json_count(const json_t *number)
{
	uint64_t v = 0;

	if (json_is_integer(number))
		return json_integer_value(number) < 0
			       ? -1 : json_integer_value(number);
	if (!json_is_string(number) ||
	    number_parse(&v, json_string_value(number),
			 json_string_length(number), INT64_MAX))
		return -1;
	return (int64_t)v;
}

int64_t json_seconds_us(const json_t *seconds)
{
	if (!json_is_number(seconds))
		return TIME_UNKNOWN;
	const double us = json_number_value(seconds) * 1e6;

	/* written so that NaN fails too */
	if (!(us >= 0 && us <= (double)JSON_TIME_MAX_US))
		return TIME_WILD;
	return llround(us);
}

int64_t json_moment_us(const json_t *seconds)
{
	const int64_t us = json_seconds_us(seconds);

	return us == TIME_WILD ? TIME_UNKNOWN : us;
}

double json_confidence(const json_t *number)
{
	const double v = json_is_number(number) ? json_number_value(number) : -1;

	return v >= 0 && v <= 1 ? v : -1;
}

static const char *word_text(const json_t *item,
			     const struct json_word_names *names)
{
	const char *text = names->display
		? trim(json_object_get(item, names->display), RESULT_TEXT_MAX)
		: NULL;

	if (!text || !*text)
		text = trim(json_object_get(item, names->text), RESULT_TEXT_MAX);
	return text && *text ? text : NULL;
}

int json_words(struct asr_word **words, size_t *n, const json_t *array,
	       const struct json_word_names *names)
{
	const size_t most = MIN(json_array_size(array), (size_t)RESULT_WORDS_MAX);
	struct asr_word *out = NULL;
	size_t used = 0, i;
	const json_t *item;

	if (most > 0) {
		out = calloc(most, sizeof(*out));
		if (!out)
			return -ENOMEM;
	}
	json_array_foreach(array, i, item) {
		if (used == most)
			break;
		const char *text = word_text(item, names);

		if (!text)
			continue;
		struct asr_word *w = &out[used++];

		w->text = text;
		w->start_us = json_seconds_us(json_object_get(item, names->start));
		w->end_us = json_seconds_us(json_object_get(item, names->end));
		if (w->start_us != TIME_UNKNOWN && w->end_us < w->start_us)
			w->end_us = TIME_UNKNOWN;
		w->confidence = json_confidence(json_object_get(item,
								names->confidence));
	}
	if (used == 0) {
		free(out);
		out = NULL;
	}
	*words = out;
	*n = used;
	return 0;
}
