/**
 * @file command.h  What an operator or a program says: one line of JSON
 *
 *    {"id":1,"do":"leg.add","call":"c1","role":"caller","codec":"PCMU"}
 *    {"id":2,"do":"leg.end","leg":"c1.1"}
 *    {"id":3,"do":"call.register","call":"c1","from":"...","to":"...","ids":{}}
 *    {"id":3,"do":"call.register","call":"c1","uuid":"...","role":"caller"}
 *    {"id":4,"do":"status"}
 *    {"id":5,"do":"drain","cancel":false}
 *    {"id":6,"do":"calls","after":0}
 *    {"id":7,"do":"call","call":"c1"}
 *    {"id":8,"do":"hangup","call":"c1"}
 *    {"id":9,"do":"metrics","from":0}
 *    {"id":10,"do":"pause","call":"c1"}
 *    {"id":11,"do":"resume","call":"c1.2"}
 *    {"id":12,"do":"reload"}
 *    {"id":13,"do":"asr","asr":"main","enable":false}
 *    {"id":14,"do":"loglevel","level":"debug"}
 *    {"id":15,"do":"doctor"}
 *
 * Members beyond these: leg.add also takes what call.register does (it stands
 * for it when the call is new), `label`, `language` (its routes may ask for
 * one), `payload_type` (needed with codec L16: 8 kHz, mono) and `remote`
 * ("192.0.2.1:4000": who will send; without it the sender is learned).
 * call.register with `uuid` tells whose an AudioSocket will be, and may have
 * `role`, `label` and `language`; one for each leg.  Where a call is looked
 * for, `call` may be the id of one of its legs.  An answer that would not fit
 * in a line says where to go on: `after` of calls, `from` of metrics are the
 * answer's `next`.  Unknown members are ignored.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/addr.h"
#include "daemon/base/event.h"

enum {
	COMMAND_LINE_MAX = 64 * 1024, /**< [bytes] without its line feed */
	COMMAND_IDS = 32,
	COMMAND_CALL = 57,            /**< Bytes of a call's id with its NUL:
					   a leg's is longer */
	COMMAND_TEXT = 256,           /**< Bytes of any other text */
	COMMAND_ERROR = 600,
	COMMAND_ID = 80,
};

enum command_kind {
	COMMAND_LEG_ADD,
	COMMAND_LEG_END,
	COMMAND_CALL_REGISTER,
	COMMAND_STATUS,
	COMMAND_DRAIN,
	COMMAND_CALLS,
	COMMAND_CALL_SHOW,
	COMMAND_HANGUP,
	COMMAND_METRICS,
	COMMAND_PAUSE,
	COMMAND_RESUME,
	COMMAND_RELOAD,
	COMMAND_ASR,
	COMMAND_LOGLEVEL,
	COMMAND_DOCTOR,
	COMMAND_KINDS, /* how many there are */
};

/** Strings belong to it; NULL: not said. */
struct command {
	enum command_kind kind;
	const char *call;         /**< leg.add, call.register */
	const char *leg;          /**< leg.end */
	const char *target;       /**< call, hangup, pause, resume: a call's id or
				       a leg's */
	uint64_t next;            /**< calls, metrics: where to go on */
	enum role role;
	const char *codec;        /**< "PCMU" "PCMA" "L16" */
	int payload_type;         /**< -1: not said */
	const char *label, *language, *from, *to, *sip_call_id;
	bool has_uuid;            /**< call.register */
	uint8_t uuid[16];
	struct addr remote;       /**< Family 0: not said */
	struct event_id ids[COMMAND_IDS];
	size_t n_ids;
	bool cancel;              /**< drain */
	const char *asr;          /**< asr ... */
	bool enable;              /**< ... what becomes of it */
	const char *level;        /**< loglevel */
	void *json;               /**< What holds the strings */
};

/**
 * @param id The line's `id` as JSON, to stand in the answer; "" when it has
 *           none or it is no integer or short string.  Set in any case
 * @param error On -EBADMSG: what is wrong and what to do
 *
 * @return 0 or -EBADMSG, `out` untouched
 */
int command_parse(struct command *out, const char *line, size_t len,
		  char id[COMMAND_ID], char error[COMMAND_ERROR]);
/** "leg.add" ... */
const char *command_name(enum command_kind kind);
/** Does it only ask? */
bool command_asks(enum command_kind kind);
/** Another owner of the same. */
void command_copy(struct command *out, const struct command *c);
void command_free(struct command *c);
