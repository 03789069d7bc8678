/**
 * @file quality.h  What a listener would think of the stream
 *
 * Jitter as in RFC 3550 A.8, over audio packets in the order of their arrival.
 * A pair whose spacing differs from its timestamps' by a second or more is a
 * sender that began again, not jitter, and is left out.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct jitter {
	bool started;
	uint32_t ssrc;
	uint32_t ts;
	uint64_t at_us;
	double us;           /**< Jitter so far [us] */
};

/**
 * @param ts RTP timestamp, 8 kHz
 * @param at_us Arrival [us]
 */
void jitter_feed(struct jitter *j, uint32_t ssrc, uint32_t ts, uint64_t at_us);

/**
 * Listening quality by the E-model (ITU-T G.107), delay left out:
 * R = 93.2 - Ie,eff, Ie,eff = Ie + (95 - Ie) * Ppl / (Ppl / BurstR + Bpl) with
 * G.113's figures for G.711 with concealment (Ie 0, Bpl 25.1) and random loss
 * (BurstR 1).
 *
 * @param lost Packets that were not heard: lost or too late
 * @param expected All of them; 0: no loss
 *
 * @return 1.0..4.5
 */
double mos_of_loss(uint64_t lost, uint64_t expected);
