/**
 * @file report.h  What is told of a connection when it is over
 *
 * One JSON object a line:
 *
 *   connection   1 is the first upgrade request
 *   dialect, flavour, target, peer
 *   headers      names of those the dialect knows, as seen; never values
 *   key          "right" "wrong" (with --expect-key) "present" "missing"
 *   config       what the client configured, as it came
 *   encoding, rate_hz
 *   messages, chunks, bytes        binary messages are chunks
 *   samples, crc32                 audio taken, and the CRC-32 of all of it as
 *                                  PCM16LE (8 hexadecimal digits)
 *   partials, finals               told
 *   eof          the client ended its audio
 *   violations   [{kind, words, count, at_sample}]: against the service's pages
 *   notes        the same: unusual, not forbidden
 *   plan         the script's line, if there is one
 *   dump         name of the file with the audio, with --dump
 *   ended        {by: "client" "simulator" "network", code, text}
 *   ms           how long it was open
 */
#pragma once

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FINDINGS_MAX = 32, FINDING_WORDS = 160 };

struct finding {
	const char *kind;         /**< String constant */
	bool violation;           /**< Else a note */
	uint64_t count;
	uint64_t at_sample;       /**< Of the first */
	char words[FINDING_WORDS];
};

struct findings {
	struct finding all[FINDINGS_MAX];
	size_t n;
};

/** Count one; the first of a kind keeps its words. */
void findings_add(struct findings *f, bool violation, const char *kind,
		  uint64_t at_sample, const char *fmt, va_list ap)
	__attribute__((format(printf, 5, 0)));

/** Violations or notes as JSON; the caller's. */
json_t *findings_json(const struct findings *f, bool violations);
