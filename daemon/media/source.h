/**
 * @file source.h  Which SSRC speaks on a leg
 *
 * A leg follows one SSRC.  Another one takes over when two of its packets came
 * in sequence order and the old one was silent meanwhile; the first of the two
 * is held back and not lost.  Another one that goes on beside a live one is a
 * second party on the same address: SOURCE_OTHER, the caller opens a leg for
 * it.  An SSRC that has not yet carried audio we decode (PCMU, PCMA, L16)
 * never opens or changes anything: telephone-event and comfort noise of a
 * foreign SSRC are ignored.  (RFC 3550 section 8, appendix A.1
 * MIN_SEQUENTIAL.)  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum source_verdict {
	SOURCE_ACCEPT,  /**< The SSRC in force */
	SOURCE_HOLD,    /**< Keep this packet, in place of an older one of its
			     SSRC: the next one of that SSRC decides */
	SOURCE_SWITCH,  /**< The held packet, then this: a new SSRC in force */
	SOURCE_OTHER,   /**< A second SSRC lives beside the one in force: the
			     held packet, then this one, are another leg's.
			     Its packets need not be fed here any more */
	SOURCE_IGNORE,
};

enum { SOURCE_CANDIDATES = 4 };

struct source {
	bool locked;
	uint32_t ssrc;          /**< In force, when locked */
	uint64_t heard_us;      /**< Last packet of it */
	struct source_candidate {
		uint32_t ssrc;
		uint16_t seq;   /**< Of its last packet */
		uint8_t run;    /**< Packets in order so far; 0: free */
		bool alone;     /**< None of the old one since it began */
		uint64_t at_us;
	} candidate[SOURCE_CANDIDATES];
};

/** Begin with the SSRC `ssrc` in force. */
void source_lock(struct source *s, uint32_t ssrc, uint64_t at_us);

/**
 * With none in force yet, the first SSRC that carries audio is.
 *
 * @param audio Carries audio we decode
 * @param at_us Arrival [us]
 */
enum source_verdict source_feed(struct source *s, uint32_t ssrc, uint16_t seq,
				bool audio, uint64_t at_us);
