/**
 * @file account.h  What a receiver must have of one leg
 *
 * Positions are samples of the leg's own timeline: 0 is the first that was
 * sent.  Every sample belongs to one span: heard (with the CRC-32 of its
 * PCM16LE as decoded), lost (an audio packet that was left out on purpose) or
 * silent (nothing was to be sent: a pause, comfort noise, a digit, hold).
 * Spans of one kind that touch are one; one ends at each break, where the
 * sender's numbers begin anew.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/callgen/sound.h"

enum fate { FATE_HEARD, FATE_LOST, FATE_SILENT, FATES };

enum break_kind { BREAK_SSRC, BREAK_TIMESTAMP };

struct span {
	uint64_t start, end;
	enum fate fate;
	uint32_t crc;
};

/** {0} with `sound` and `law` set, to begin; account_free(). */
struct account {
	const struct sound *sound;
	enum law law;
	struct span *spans;
	size_t n, size;
	uint64_t at;             /**< Where the next frame lies */
	uint64_t samples[FATES];
	uint32_t crc;            /**< Of all that is heard */
	json_t *breaks;          /**< [[at, "ssrc"] ...], NULL: none */
	bool broken;             /**< The next frame begins a span */
};

/** The next `n` samples, at `offset` of the sound. */
void account_frame(struct account *a, enum fate fate, size_t offset, size_t n);
void account_break(struct account *a, enum break_kind kind);
/** Members for the report: samples, crc32, heard, lost, silent, breaks. */
void account_tell(const struct account *a, json_t *into);
void account_free(struct account *a);
