/**
 * @file metadata.h  What FreeSWITCH's audio websockets say in text
 *
 * mod_audio_fork and mod_audio_stream send what the dial plan handed them as
 * the first message, any text at all (reference: telephony section 1.3.1).  Of
 * a JSON object these members are understood, jambonz's names among them:
 *
 *    call | callSid | uuid           the call's id
 *    from, to                        the parties
 *    sip_call_id | callId
 *    role                            caller agent mixed unknown: of a mono one
 *    language                        RFC 5646
 *    sampleRate | sample_rate        8000, "8000", "8k"
 *    mixType | mix                   mono mixed stereo; or channels: 1, 2
 *
 * All other texts and integers of the first level become ids.  Nothing is
 * refused: what cannot be read is as if it were not there, and what is no
 * object becomes the id "metadata".  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/event.h"

enum {
	METADATA_MAX = 64 * 1024, /**< [bytes]; more is not looked at */
	METADATA_IDS = 32,
	METADATA_CALL = 48,
	METADATA_TEXT = 256,      /**< Bytes of any other text with its NUL */
};

enum metadata_mix { MIX_UNKNOWN, MIX_MONO, MIX_MIXED, MIX_STEREO };

/** Strings belong to it; NULL: not said. */
struct metadata {
	char call[METADATA_CALL]; /**< [A-Za-z0-9._-]; "": not said, or not so */
	const char *from, *to, *sip_call_id, *language;
	enum role role;
	bool has_role;
	unsigned rate;            /**< 0: not said */
	enum metadata_mix mix;
	struct event_id ids[METADATA_IDS];
	size_t n_ids;
	void *json;               /**< What holds the strings */
	char numbers[METADATA_IDS][24];
	char text[METADATA_TEXT]; /**< Of what is no object */
};

/** @param out Its strings point into itself: it is not to be moved */
void metadata_parse(struct metadata *out, const char *text, size_t len);
void metadata_free(struct metadata *m);

/** {"event":"dtmf","dtmf":"5"}  @return the digit; 0: it is another message */
char metadata_digit(const char *text, size_t len);
