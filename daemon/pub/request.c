/** @file request.c  What a subscriber may say */
#include "daemon/pub/request.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/number.h"
#include "daemon/pub/line.h"

enum { EPOCH_DIGITS = 16, SHOWN = 40 };

static const uint32_t all_types = ((uint32_t)1 << (EVENT_DAEMON + 1)) - 1;

void request_default(struct request *out)
{
	*out = (struct request){ .kind = REQUEST_HELLO, .from = FROM_NOW,
				 .types = all_types, .partials = true };
}

__attribute__((format(printf, 2, 3)))
static int wrong(char error[REQUEST_ERROR], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, REQUEST_ERROR, fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

static bool is_id(const char *text)
{
	const size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && n < EVENT_ID && text[n] == 0;
}

/* A member that must be an id: 1 (it is), 0 (absent) or -EBADMSG. */
static int name_of(struct request *r, const json_t *o, char *error)
{
	const json_t *v = json_object_get(o, "name");

	if (!v)
		return 0;
	if (!json_is_string(v) || !is_id(json_string_value(v)))
		return wrong(error, "name: one to 64 of A-Z a-z 0-9 . _ -");
	memcpy(r->name, json_string_value(v), json_string_length(v) + 1);
	return 0;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static int position(struct request *r, const char *text)
{
	uint64_t epoch = 0, seq;
	size_t i = 0;

	for (; i < EPOCH_DIGITS; i++) {
		const int digit = hex_digit(text[i]);
		if (digit < 0)
			return -EBADMSG;
		epoch = epoch << 4 | (uint64_t)digit;
	}
	if (text[i++] != ':' ||
	    number_parse(&seq, text + i, strlen(text + i), INT64_MAX) ||
	    seq == 0)
		return -EBADMSG;
	r->epoch = epoch;
	r->seq = seq;
	r->from = FROM_SEQ;
	return 0;
}

static int from_of(struct request *r, const json_t *o, char *error)
{
	const json_t *v = json_object_get(o, "from");
	const char *text = json_string_value(v);

	r->from = r->name[0] ? FROM_RESUME : FROM_NOW;
	if (!v)
		return 0;
	if (!text)
		return wrong(error, "from: a string");
	if (!strcmp(text, "now"))
		r->from = FROM_NOW;
	else if (!strcmp(text, "oldest"))
		r->from = FROM_OLDEST;
	else if (!strcmp(text, "resume"))
		r->from = FROM_RESUME;
	else if (position(r, text))
		return wrong(error, "from: now, oldest, resume or EPOCH:SEQ, "
			     "not \"%.*s\"", SHOWN, text);
	if (r->from == FROM_RESUME && !r->name[0])
		return wrong(error, "from: resume needs a name");
	return 0;
}

static int type_of(struct request *r, const char *text, bool *any_daemon)
{
	for (int t = 0; t < EVENT_DAEMON; t++) {
		if (strcmp(text, line_type_name((enum event_type)t)) != 0)
			continue;
		r->types |= (uint32_t)1 << t;
		return 0;
	}
	if (strncmp(text, "daemon.", 7) != 0)
		return -EBADMSG;
	text += 7;
	r->types |= (uint32_t)1 << EVENT_DAEMON;
	if (!strcmp(text, "*")) {
		*any_daemon = true;
		return 0;
	}
	if (!is_id(text) || r->n_daemon == REQUEST_DAEMON_TYPES)
		return -EBADMSG;
	memcpy(r->daemon[r->n_daemon++], text, strlen(text) + 1);
	return 0;
}

static int types_of(struct request *r, const json_t *o, char *error)
{
	const json_t *v = json_object_get(o, "types");
	bool any_daemon = false;

	if (!v)
		return 0;
	if (!json_is_array(v) || json_array_size(v) == 0)
		return wrong(error, "types: a list of at least one type");
	r->types = 0;
	for (size_t i = 0; i < json_array_size(v); i++) {
		const char *t = json_string_value(json_array_get(v, i));
		if (!t || type_of(r, t, &any_daemon))
			return wrong(error, "types: no type of event is "
				     "\"%.*s\"", SHOWN, t ? t : "");
	}
	if (any_daemon)
		r->n_daemon = 0;
	return 0;
}

static int calls_of(struct request *r, const json_t *o, char *error)
{
	const json_t *v = json_object_get(o, "calls");
	bool all = false;

	if (!v)
		return 0;
	if (!json_is_array(v) || json_array_size(v) == 0 ||
	    json_array_size(v) > REQUEST_CALLS)
		return wrong(error, "calls: a list of 1 to %d ids, or [\"*\"]",
			     REQUEST_CALLS);
	for (size_t i = 0; i < json_array_size(v); i++) {
		const char *id = json_string_value(json_array_get(v, i));
		if (id && !strcmp(id, "*"))
			all = true;
		else if (id && is_id(id))
			memcpy(r->calls[r->n_calls++], id, strlen(id) + 1);
		else
			return wrong(error, "calls: no call's id is \"%.*s\"",
				     SHOWN, id ? id : "");
	}
	if (all)
		r->n_calls = 0;
	return 0;
}

static int flag_of(bool *out, const json_t *o, const char *key, char *error)
{
	const json_t *v = json_object_get(o, key);

	if (v && !json_is_boolean(v))
		return wrong(error, "%s: true or false", key);
	if (v)
		*out = json_is_true(v);
	return 0;
}

static int hello_of(struct request *r, const json_t *o, char *error)
{
	const json_t *v = json_object_get(o, "hello");
	int err;

	if (!json_is_integer(v) || json_integer_value(v) != 1)
		return wrong(error, "hello: 1 is the only version");
	err = name_of(r, o, error);
	if (!err)
		err = from_of(r, o, error);
	if (!err)
		err = types_of(r, o, error);
	if (!err)
		err = calls_of(r, o, error);
	if (!err)
		err = flag_of(&r->partials, o, "partials", error);
	if (!err)
		err = flag_of(&r->ack, o, "ack", error);
	return err;
}

static int any_of(struct request *r, const json_t *o, char *error)
{
	const json_t *ack = json_object_get(o, "ack");

	if (json_object_get(o, "hello"))
		return hello_of(r, o, error);
	if (!ack)
		return wrong(error, "send {\"hello\":1,...} to choose, or "
			     "{\"ack\":SEQ}");
	if (!json_is_integer(ack) || json_integer_value(ack) < 0)
		return wrong(error, "ack: the seq of an event");
	r->kind = REQUEST_ACK;
	r->ack_seq = (uint64_t)json_integer_value(ack);
	return 0;
}

int request_parse(struct request *out, const char *line, size_t len,
		  char error[REQUEST_ERROR])
{
	struct request r;
	json_error_t why;

	if (len > REQUEST_LINE_MAX)
		return wrong(error, "a line has at most %d bytes",
			     REQUEST_LINE_MAX);
	json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
	if (!o)
		/* jansson's text quotes the line: its place is enough */
		return wrong(error, "no JSON, at byte %d: one object a line",
			     why.position);
	request_default(&r);
	const int err = json_is_object(o) ? any_of(&r, o, error)
					  : wrong(error, "one object a line");
	json_decref(o);
	if (!err)
		*out = r;
	return err;
}

bool request_wants(const struct request *r, enum event_type type,
		   const char *key)
{
	if (!(r->types >> type & 1))
		return false;
	if (type == EVENT_DAEMON) {
		for (size_t i = 0; i < r->n_daemon; i++)
			if (!strcmp(r->daemon[i], key))
				return true;
		return r->n_daemon == 0;
	}
	for (size_t i = 0; i < r->n_calls; i++)
		if (!strcmp(r->calls[i], key))
			return true;
	return r->n_calls == 0;
}
