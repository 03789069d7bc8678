/**
 * @file reply.h  What the answers of several services have in common
 *
 * Each function reads one thing and tells the sink; what is particular to a
 * service stays in its file.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/asr/vendor.h"

/** The hash of a text that stands for it where it is not needed back; never
 * 0, which stands for "none". */
uint64_t reply_mark(const char *text);

/** Read one text message by a vendor's own function, as vendor.parse(). */
int reply_parse(const struct asr_session *s, const char *text, size_t len,
		const struct asr_sink *sink,
		int (*read)(const struct asr_session *s, json_t *msg,
			    const struct asr_sink *sink));

/** Tell the service's id of the session when it is another than before. */
void reply_session(uint64_t *before, const json_t *id,
		   const struct asr_sink *sink);

/** What a status or close code means, as the service's pages say it. */
struct reply_meaning {
	unsigned code;             /**< 0: the end of the list */
	enum reason_class class;
	const char *why;           /**< NULL: nothing is said */
};

/** For vendor.meaning(). */
enum reason_class reply_meaning(const struct reply_meaning *list, unsigned code,
				const char **why);

/**
 * The service refused or failed: in its own words, or, where it has none or
 * quotes the key, in ours.
 *
 * @param c REASON_NONE: by the code, as the vendor's meaning(), else HTTP's
 * @param theirs NULL or ""
 */
void reply_refused(const struct asr_session *s, const struct asr_sink *sink,
		   const struct reply_meaning *list, enum reason_class c,
		   unsigned code, const char *theirs);

/** Times by the first and last word that have any; what is known stays. */
void reply_times_of_words(struct asr_result *r);

/** An end before its start is unknown, one beyond 48 h is wild. */
void reply_check_times(struct asr_result *r);

/** A known time so much later; TIME_WILD when one of them is. */
int64_t reply_later_us(int64_t us, int64_t by_us);

/** Is one of its times, or of its words', TIME_WILD?  Then the message is a bad
 * one: nothing of it is to be told. */
bool reply_is_wild(const struct asr_result *r);

/**
 * The segments of a service that does not name them: a new one begins behind
 * each final.
 */
struct reply_count {
	uint64_t closed;
	bool spoken;               /**< The open one was told of */
};

/**
 * Tell a result under the number of its segment.  Silence brings empty texts:
 * a partial is told when it takes back another, a final as such when it has an
 * end (the audio up to there is done with), else as a retraction, if there is
 * anything to retract.
 */
void reply_counted(struct reply_count *n, struct asr_result *r,
		   const struct asr_sink *sink);

/**
 * Deepgram's results, which others have taken over:
 *
 *   {"start":0.0,"duration":1.1,"channel":{"alternatives":[{"transcript":"..",
 *    "confidence":0.99,"languages":["en"],"words":[{"word":"..",
 *    "punctuated_word":"..","start":0.2,"end":0.5,"confidence":0.99}]}]},
 *    "metadata":{"request_id":".."}}
 *
 * @param out State and key are the caller's
 * @param words The caller's (free()), or NULL
 *
 * @return 0 or -EBADMSG: the transcript is no text, or its times are wild;
 *         then there is nothing to free
 */
int reply_results(struct asr_result *out, struct asr_word **words,
		  const json_t *msg);
