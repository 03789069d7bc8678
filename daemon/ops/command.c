/** @file command.c  What an operator or a program says */
#include "daemon/ops/command.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/log.h"
#include "daemon/base/number.h"
#include "daemon/base/uuid.h"

enum { SHOWN = 40, PAYLOAD_TYPES = 128 };

__attribute__((format(printf, 2, 3)))
static int wrong(char error[COMMAND_ERROR], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(error, COMMAND_ERROR, fmt, ap);
	va_end(ap);
	return -EBADMSG;
}

static bool is_id(const char *text, size_t room)
{
	const size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && n < room && text[n] == 0;
}

static void copy_id(char id[COMMAND_ID], const json_t *o)
{
	const json_t *v = json_object_get(o, "id");
	char *text = NULL;

	if (json_is_integer(v) || json_is_string(v))
		text = json_dumps(v, JSON_ENCODE_ANY | JSON_ENSURE_ASCII);
	if (text && strlen(text) < COMMAND_ID)
		memcpy(id, text, strlen(text) + 1);
	free(text);
}

/* -- members ------------------------------------------------------------------------ */

static int text_of(const char **out, const json_t *o, const char *key,
		   char *error)
{
	const json_t *v = json_object_get(o, key);

	if (!v)
		return 0;
	if (!json_is_string(v) || json_string_length(v) == 0 ||
	    json_string_length(v) >= COMMAND_TEXT)
		return wrong(error, "%s: a text of 1 to %d bytes", key,
			     COMMAND_TEXT - 1);
	*out = json_string_value(v);
	return 0;
}

static int name_of(const char **out, const json_t *o, const char *key,
		   size_t room, char *error)
{
	const char *text = json_string_value(json_object_get(o, key));

	if (!text || !is_id(text, room))
		return wrong(error, "%s must be given: 1 to %zu of A-Z a-z 0-9 "
			     ". _ -", key, room - 1);
	*out = text;
	return 0;
}

static int role_of(enum role *out, const json_t *o, char *error)
{
	const json_t *v = json_object_get(o, "role");
	const char *text = json_string_value(v);

	for (int r = ROLE_UNKNOWN; text && r <= ROLE_MIXED; r++)
		if (!strcmp(text, role_name((enum role)r))) {
			*out = (enum role)r;
			return 0;
		}
	return v ? wrong(error, "role: caller, agent, mixed or unknown, not "
			 "\"%.*s\"", SHOWN, text ? text : "")
		 : 0;
}

static int codec_of(struct command *c, const json_t *o, char *error)
{
	static const char *const codecs[] = { "PCMU", "PCMA", "L16" };
	const json_t *v = json_object_get(o, "codec");
	const json_t *pt = json_object_get(o, "payload_type");
	const char *text = json_string_value(v);

	if (pt && (!json_is_integer(pt) || json_integer_value(pt) < 0 ||
		   json_integer_value(pt) >= PAYLOAD_TYPES))
		return wrong(error, "payload_type: a number from 0 to 127");
	c->payload_type = pt ? (int)json_integer_value(pt) : -1;
	for (size_t i = 0; text && i < ARRAY_LEN(codecs); i++)
		if (!strcmp(text, codecs[i]))
			c->codec = codecs[i];
	if (v && !c->codec)
		return wrong(error, "codec: PCMU, PCMA or L16 (8 kHz, mono), "
			     "not \"%.*s\"; tell the sender to use one",
			     SHOWN, text ? text : "");
	if (c->codec && !strcmp(c->codec, "L16") && c->payload_type < 0)
		return wrong(error, "codec L16 has no payload type of its own; "
			     "add payload_type");
	if (c->payload_type >= 0 && !c->codec)
		return wrong(error, "payload_type without codec; add codec");
	return 0;
}

/* "192.0.2.1:4000", "[2001:db8::1]:4000" */
static int read_address(struct addr *out, const char *text)
{
	const char *colon = strrchr(text, ':');
	const bool six = text[0] == '[';
	struct addr at;
	uint64_t port;

	if (!colon || (six && (colon < text + 2 || colon[-1] != ']')) ||
	    number_parse(&port, colon + 1, strlen(colon + 1), UINT16_MAX) ||
	    !port)
		return -EBADMSG;

	const char *host = text + six;
	if (addr_parse(&at, host, (size_t)(colon - six - host)) ||
	    addr_is_any(&at) || (at.family == 6 && !six))
		return -EBADMSG;
	at.port = (uint16_t)port;
	*out = at;
	return 0;
}

static int remote_of(struct addr *out, const json_t *o, char *error)
{
	const json_t *v = json_object_get(o, "remote");
	const char *text = json_string_value(v);

	if (v && (!text || read_address(out, text)))
		return wrong(error, "remote: who sends, as \"192.0.2.1:4000\" "
			     "or \"[2001:db8::1]:4000\"; without it the "
			     "sender is learned");
	return 0;
}

static int ids_of(struct command *c, json_t *o, char *error)
{
	json_t *ids = json_object_get(o, "ids"), *v;
	const char *name;

	if (!ids)
		return 0;
	if (!json_is_object(ids) || json_object_size(ids) > COMMAND_IDS)
		return wrong(error, "ids: an object of at most %d texts",
			     COMMAND_IDS);
	json_object_foreach(ids, name, v) {
		if (!is_id(name, EVENT_ID) || !json_is_string(v) ||
		    json_string_length(v) == 0 ||
		    json_string_length(v) >= COMMAND_TEXT)
			return wrong(error, "ids: names of A-Z a-z 0-9 . _ -, "
				     "values of 1 to %d bytes of text; "
				     "\"%.*s\" is not so", COMMAND_TEXT - 1,
				     SHOWN, name);
		c->ids[c->n_ids++] = (struct event_id){
			name, json_string_value(v) };
	}
	return 0;
}

/* -- commands ------------------------------------------------------------------------ */

static int read_call(struct command *c, json_t *o, char *error)
{
	int err = name_of(&c->call, o, "call", COMMAND_CALL, error);

	if (!err)
		err = text_of(&c->from, o, "from", error);
	if (!err)
		err = text_of(&c->to, o, "to", error);
	if (!err)
		err = text_of(&c->sip_call_id, o, "sip_call_id", error);
	return err ? err : ids_of(c, o, error);
}

static int read_leg(struct command *c, json_t *o, char *error)
{
	int err = read_call(c, o, error);

	if (!err)
		err = text_of(&c->label, o, "label", error);
	if (!err)
		err = text_of(&c->language, o, "language", error);
	if (!err)
		err = role_of(&c->role, o, error);
	if (!err)
		err = codec_of(c, o, error);
	return err ? err : remote_of(&c->remote, o, error);
}

static int uuid_of(struct command *c, const json_t *o, char *error)
{
	const json_t *v = json_object_get(o, "uuid");
	const char *text = json_string_value(v);

	if (!v)
		return 0;
	if (!text || uuid_parse(c->uuid, text))
		return wrong(error, "uuid: as the AudioSocket will name itself, "
			     "\"40325ec2-5efd-4bd3-805f-53576e581d13\"");
	c->has_uuid = true;
	return 0;
}

static int read_register(struct command *c, json_t *o, char *error)
{
	int err = read_call(c, o, error);

	if (!err)
		err = uuid_of(c, o, error);
	if (!err)
		err = text_of(&c->label, o, "label", error);
	if (!err)
		err = text_of(&c->language, o, "language", error);
	return err ? err : role_of(&c->role, o, error);
}

static int read_leg_end(struct command *c, json_t *o, char *error)
{
	return name_of(&c->leg, o, "leg", EVENT_ID, error);
}

static int read_drain(struct command *c, json_t *o, char *error)
{
	const json_t *v = json_object_get(o, "cancel");

	if (v && !json_is_boolean(v))
		return wrong(error, "cancel: true or false");
	c->cancel = json_is_true(v);
	return 0;
}

static int read_target(struct command *c, json_t *o, char *error)
{
	return name_of(&c->target, o, "call", EVENT_ID, error);
}

static int read_asr(struct command *c, json_t *o, char *error)
{
	const json_t *v = json_object_get(o, "enable");

	if (!json_is_boolean(v))
		return wrong(error, "enable: true or false");
	c->enable = json_is_true(v);
	c->asr = json_string_value(json_object_get(o, "asr"));
	return c->asr ? text_of(&c->asr, o, "asr", error)
		      : wrong(error, "asr: the name of one");
}

static int read_loglevel(struct command *c, json_t *o, char *error)
{
	c->level = json_string_value(json_object_get(o, "level"));
	return c->level && log_level_by_name(c->level) >= 0
		       ? 0 : wrong(error, "level: error, warn, info or debug");
}

static int next_of(struct command *c, const json_t *o, const char *key,
		   char *error)
{
	const json_t *v = json_object_get(o, key);

	if (v && (!json_is_integer(v) || json_integer_value(v) < 0))
		return wrong(error, "%s: the \"next\" of the answer before",
			     key);
	c->next = (uint64_t)json_integer_value(v);
	return 0;
}

static int read_calls(struct command *c, json_t *o, char *error)
{
	return next_of(c, o, "after", error);
}

static int read_metrics(struct command *c, json_t *o, char *error)
{
	return next_of(c, o, "from", error);
}

static const struct {
	const char *name;
	int (*read)(struct command *c, json_t *o, char *error); /* or NULL */
} commands[] = {
	[COMMAND_LEG_ADD]	= { "leg.add", read_leg },
	[COMMAND_LEG_END]	= { "leg.end", read_leg_end },
	[COMMAND_CALL_REGISTER] = { "call.register", read_register },
	[COMMAND_STATUS]	= { "status", NULL },
	[COMMAND_DRAIN]		= { "drain", read_drain },
	[COMMAND_CALLS]		= { "calls", read_calls },
	[COMMAND_CALL_SHOW]	= { "call", read_target },
	[COMMAND_HANGUP]	= { "hangup", read_target },
	[COMMAND_METRICS]	= { "metrics", read_metrics },
	[COMMAND_PAUSE]		= { "pause", read_target },
	[COMMAND_RESUME]	= { "resume", read_target },
	[COMMAND_RELOAD]	= { "reload", NULL },
	[COMMAND_ASR]		= { "asr", read_asr },
	[COMMAND_LOGLEVEL]	= { "loglevel", read_loglevel },
	[COMMAND_DOCTOR]	= { "doctor", NULL },
};

static int read_command(struct command *c, json_t *o, char *error)
{
	const char *what = json_string_value(json_object_get(o, "do"));

	for (size_t i = 0; what && i < ARRAY_LEN(commands); i++) {
		if (strcmp(what, commands[i].name) != 0)
			continue;
		c->kind = (enum command_kind)i;
		return commands[i].read ? commands[i].read(c, o, error) : 0;
	}
	return wrong(error, "do: leg.add, leg.end, call.register, status, "
		     "calls, call, hangup, pause, resume, metrics, reload, "
		     "asr, loglevel, doctor or drain, not \"%.*s\"", SHOWN, what ? what : "");
}

int command_parse(struct command *out, const char *line, size_t len,
		  char id[COMMAND_ID], char error[COMMAND_ERROR])
{
	struct command c = { .payload_type = -1 };
	json_error_t why;

	id[0] = 0;
	if (len > COMMAND_LINE_MAX)
		return wrong(error, "a line of more than %d bytes",
			     COMMAND_LINE_MAX);
	json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
	if (!json_is_object(o)) {
		wrong(error, "not a JSON object on one line: %.*s", 2 * SHOWN,
		      o ? "it is something else" : why.text);
		json_decref(o);
		return -EBADMSG;
	}
	copy_id(id, o);
	if (read_command(&c, o, error)) {
		json_decref(o);
		return -EBADMSG;
	}
	c.json = o;
	*out = c;
	return 0;
}

const char *command_name(enum command_kind kind)
{
	return commands[kind].name;
}

bool command_asks(enum command_kind kind)
{
	return kind == COMMAND_STATUS || kind == COMMAND_CALLS ||
	       kind == COMMAND_CALL_SHOW || kind == COMMAND_METRICS ||
	       kind == COMMAND_DOCTOR;
}

void command_copy(struct command *out, const struct command *c)
{
	*out = *c;
	json_incref((json_t *)c->json);
}

void command_free(struct command *c)
{
	json_decref((json_t *)c->json);
	*c = (struct command){0};
}
