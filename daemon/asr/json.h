/**
 * @file json.h  What services send, read with limits
 *
 * For every vendor's parse(): jansson does the syntax, this file what jansson
 * does not: depth and number of values before it starts, times, ids, texts.
 * Borrowed strings live as long as the document.
 *
 * A message is somebody's words: what can be read of it is used, and a member
 * of a wrong type is as one that is not there, unless the vendor's file says
 * otherwise.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/result.h"

enum {
	JSON_DEPTH_MAX = 32,       /**< Arrays and objects in each other */
	JSON_VALUES_MAX = 65536,   /**< Of one message, about */
	JSON_ID_SIZE = 129,        /**< An id with its NUL */
};

/** 48 h [us]: no connection lives longer, so no time on it is later. */
#define JSON_TIME_MAX_US (48LL * 3600 * 1000000)

/**
 * Read one message: an object, no member twice, nothing behind it.
 *
 * @return the caller's (json_decref()), or NULL: not JSON, another kind of
 *         value, or deeper or longer than the limits
 */
json_t *json_message(const char *text, size_t len);

/** Is it one JSON value of any kind within the limits? */
bool json_is_value(const char *text, size_t len);

/** A member's text, or NULL: not there, or no string. */
const char *json_text(const json_t *object, const char *name);

/**
 * A text of at most RESULT_TEXT_MAX bytes without blanks around it; what is
 * longer is cut between characters, in place.
 *
 * @return as json_text()
 */
const char *json_transcript(json_t *object, const char *name);

/**
 * An id, string or integer, of 1 to 128 printable bytes.
 *
 * @return false (`out` untouched): there is none
 */
bool json_id(char out[JSON_ID_SIZE], const json_t *id);

/** A number that fits an unsigned, as number or decimal string; else 0. */
unsigned json_code(const json_t *code);

/** A number of things, from 0 on, as number or decimal string; else -1. */
int64_t json_count(const json_t *number);

/** A number that is no time: below 0, or over 48 h.  Later than any. */
#define TIME_WILD INT64_MAX

/** Seconds of audio -> [us]; TIME_UNKNOWN: no number; TIME_WILD. */
int64_t json_seconds_us(const json_t *seconds);
/** The same where a service may say -1 for "none": TIME_WILD is TIME_UNKNOWN. */
int64_t json_moment_us(const json_t *seconds);

/** 0..1, or -1: no number, or outside. */
double json_confidence(const json_t *number);

/** The names a service gives the members of a word. */
struct json_word_names {
	const char *text, *start, *end, *confidence;
	const char *display;       /**< Better than text where it is there;
				        NULL: no such member */
};

/**
 * Read an array of words, at most RESULT_WORDS_MAX.  What is no object or has
 * no text is left out, as are blanks around texts; an end before its start is
 * unknown.
 *
 * @param words NULL when there are none, else the caller's (free()); the texts
 *              live as long as the document
 *
 * @return 0 or -ENOMEM
 */
int json_words(struct asr_word **words, size_t *n, const json_t *array,
	       const struct json_word_names *names);
