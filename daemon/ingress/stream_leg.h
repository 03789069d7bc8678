/**
 * @file stream_leg.h  A leg whose audio comes as a stream of samples
 *
 * The half that AudioSocket and websocket share: samples as machines write them
 * (little-endian) become the leg's, and what the sender left out becomes
 * silence on its timeline (media/stream_clock.h).  Owns its struct leg.
 *
 * After 5 s without audio the leg says `no_audio`, and `audio` when it comes
 * again.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/timers.h"
#include "daemon/call/call.h"

struct stream_leg;

struct stream_leg_config {
	struct timers *timers;
	struct call *call;
	enum role role;
	const char *role_source;  /**< NULL: no rule said */
	const char *label;        /**< NULL: none */
	const char *language;     /**< NULL: the call's */
	/** A final segment of it; until stream_leg_close().  May be NULL. */
	void (*final)(const struct event *e, void *arg);
	void *arg;
};

/** Publishes leg.start.  @return 0 or -errno */
int stream_leg_open(struct stream_leg **out,
		    const struct stream_leg_config *cfg);
/**
 * Samples that came together: 8 kHz, 16 bit, little-endian.
 *
 * @param le The first of them
 * @param stride Bytes from one to the next: 2, or 4 of two interleaved
 */
void stream_leg_samples(struct stream_leg *s, const uint8_t *le, size_t n,
			size_t stride, uint64_t at_us);
/** 0-9 * # A-D; others are left out. */
void stream_leg_digit(struct stream_leg *s, char digit);
/** Its audio is of a kind we do not take: "codec". */
void stream_leg_unusable(struct stream_leg *s, const char *reason);
/** When audio came last [us]; the beginning, if none ever did. */
uint64_t stream_leg_heard_us(const struct stream_leg *s);
/** Did any come? */
bool stream_leg_has_spoken(const struct stream_leg *s);
/** As in events. */
const char *stream_leg_id(const struct stream_leg *s);
/**
 * Ends the struct leg, with all that came.
 *
 * @param reason NULL: the call has just been ended, and the leg with it
 */
void stream_leg_close(struct stream_leg *s, const char *reason);
