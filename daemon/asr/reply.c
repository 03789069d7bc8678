/** @file reply.c  What the answers of several services have in common */
#include "daemon/asr/reply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/asr/json.h"
#include "daemon/base/hash.h"

uint64_t reply_mark(const char *text)
{
	const uint64_t h = hash_bytes(text, strlen(text));

	return h ? h : 1;
}

int reply_parse(const struct asr_session *s, const char *text, size_t len,
		const struct asr_sink *sink,
		int (*read)(const struct asr_session *s, json_t *msg,
			    const struct asr_sink *sink))
{
	json_t *msg = json_message(text, len);

	if (!msg)
		return -EBADMSG;
	const int ret = read(s, msg, sink);

	json_decref(msg);
	return ret;
}

void reply_session(uint64_t *before, const json_t *id,
		   const struct asr_sink *sink)
{
	char text[JSON_ID_SIZE];

	if (!json_id(text, id) || *before == reply_mark(text))
		return;
	*before = reply_mark(text);
	sink->session(text, sink->arg);
}

enum reason_class reply_meaning(const struct reply_meaning *list, unsigned code,
				const char **why)
{
	while (list->code && list->code != code)
		list++;
	*why = list->why;
	return list->class;
}

void reply_refused(const struct asr_session *s, const struct asr_sink *sink,
		   const struct reply_meaning *list, enum reason_class c,
		   unsigned code, const char *theirs)
{
	const char *ours, *key = s->settings->key;
	const enum reason_class known = reply_meaning(list, code, &ours);

	if (c == REASON_NONE)
		c = known;
	if (c == REASON_NONE)
		c = code >= 400 && code < 500 ? reason_of_http(code)
					      : REASON_SERVER;
	if (!theirs || !*theirs || (*key && strstr(theirs, key)))
		theirs = ours ? ours : "the service refused without a reason";
	sink->refused(c, code, theirs, sink->arg);
}

void reply_times_of_words(struct asr_result *r)
{
	for (size_t i = 0; i < r->n_words && r->start_us == TIME_UNKNOWN; i++)
		r->start_us = r->words[i].start_us;
	for (size_t i = r->n_words; i > 0 && r->end_us == TIME_UNKNOWN; i--)
		r->end_us = r->words[i - 1].end_us;
	reply_check_times(r);
}

void reply_check_times(struct asr_result *r)
{
	if (r->end_us < r->start_us)
		r->end_us = TIME_UNKNOWN;
	else if (r->end_us > JSON_TIME_MAX_US)
		r->end_us = TIME_WILD;
}

bool reply_is_wild(const struct asr_result *r)
{
	for (size_t i = 0; i < r->n_words; i++)
		if (r->words[i].start_us == TIME_WILD ||
		    r->words[i].end_us == TIME_WILD)
			return true;
	return r->start_us == TIME_WILD || r->end_us == TIME_WILD;
}

int64_t reply_later_us(int64_t us, int64_t by_us)
{
	return us == TIME_WILD || by_us == TIME_WILD ? TIME_WILD : us + by_us;
}

void reply_counted(struct reply_count *n, struct asr_result *r,
		   const struct asr_sink *sink)
{
	char key[JSON_ID_SIZE];
	const bool final = r->state == RESULT_FINAL;
	const bool open = *r->text || n->spoken;

	n->spoken = open && !final;
	if (!open && (!final || r->end_us == TIME_UNKNOWN))
		return;
	if (!*r->text && final && r->end_us == TIME_UNKNOWN)
		r->state = RESULT_RETRACTED;
	snprintf(key, sizeof(key), "%" PRIu64, n->closed);
	n->closed += open && final;
	r->key = key;
	sink->result(r, sink->arg);
	r->key = NULL;
}

static void read_times(struct asr_result *r, const json_t *msg)
{
	const int64_t start = json_seconds_us(json_object_get(msg, "start"));
	const int64_t took = json_seconds_us(json_object_get(msg, "duration"));
	const bool lasts = took != TIME_UNKNOWN && took > 0;

	/* 0 for 0 is what a service fills in that does not know */
	r->start_us = lasts || start > 0 ? start : TIME_UNKNOWN;
	r->end_us = lasts && start != TIME_UNKNOWN
			    ? reply_later_us(start, took) : TIME_UNKNOWN;
	reply_check_times(r);
	reply_times_of_words(r);
}

int reply_results(struct asr_result *out, struct asr_word **words,
		  const json_t *msg)
{
	static const struct json_word_names names = {
		.text = "word", .start = "start", .end = "end",
		.confidence = "confidence", .display = "punctuated_word",
	};
	const json_t *channel = json_object_get(msg, "channel");
	json_t *best = json_array_get(json_object_get(channel, "alternatives"), 0);
	const json_t *transcript = json_object_get(best, "transcript");
	const char *text = json_transcript(best, "transcript");

	if (transcript && !text)
		return -EBADMSG;
	*out = (struct asr_result){
		.text = text ? text : "",
		.confidence = json_confidence(json_object_get(best, "confidence")),
		.language = json_string_value(json_array_get(
			json_object_get(best, "languages"), 0)),
	};
	if (out->language && !*out->language)
		out->language = NULL;
	/* without memory the words are missing, the text is not */
	*words = NULL;
	json_words(words, &out->n_words, json_object_get(best, "words"), &names);
	out->words = *words;
	read_times(out, msg);
	if (!reply_is_wild(out))
		return 0;
	free(*words);
	*words = NULL;
	return -EBADMSG;
}
