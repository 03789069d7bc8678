/**
 * @file telephone_event.h  Digits in RTP (RFC 4733)
 *
 * One event is many packets with the timestamp of its beginning and a growing
 * duration; the last one, marked, is sent three times.  They come out as one
 * digit, when the first end packet arrives, or, when all of those were lost,
 * once another event begins or nothing more came of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TELEPHONE_EVENT_QUIET_US = 200000, /**< Without a packet for this long
						it is over */
};

/** RFC 4733 section 2.3. */
struct telephone_event {
	uint8_t code;        /**< 0..15 DTMF, 16 flash, more: not ours */
	bool end;
	uint8_t volume;      /**< [-dBm0] 0..63 */
	uint16_t duration;   /**< [RTP clock ticks] so far */
};

struct digit {
	char digit;          /**< 0-9 * # A-D, '!' (flash) */
	uint64_t pos;        /**< Where it began, as told to digits_feed() */
	uint64_t len;        /**< Duration [samples] */
	uint64_t at_us;      /**< Arrival of its last packet */
};

/** Puts the packets of one stream together. */
struct digits {
	bool active;
	bool ended;          /**< ... and over, but not yet out */
	bool known;          /**< `ts` is one that came out, or is active */
	uint8_t code;
	uint32_t ts;         /**< Of the active one, or the last */
	uint32_t segment;    /**< Timestamp of its last part (RFC 4733
				  2.5.1.3) */
	uint16_t duration;   /**< Of that part */
	struct digit now;
};

/** @return 0, or -EBADMSG: fewer than its four bytes.  More are ignored. */
int telephone_event_parse(struct telephone_event *out, const uint8_t *data,
			  size_t len);

/** '\0': an event that is no digit. */
char telephone_event_digit(uint8_t code);

/**
 * One packet.  May give two digits at once, an abandoned one and a short one:
 * call again with e == NULL until it returns false.
 *
 * @param e NULL: only look whether one is over, at `at_us`
 * @param pos Where `ts` lies on the timeline
 *
 * @return whether `out` was set
 */
bool digits_feed(struct digits *d, struct digit *out,
		 const struct telephone_event *e, uint32_t ts, uint64_t pos,
		 uint64_t at_us);

/** End of the stream: the one still going, if any. */
bool digits_flush(struct digits *d, struct digit *out);
