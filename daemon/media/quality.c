/** @file quality.c  Jitter and MOS */
#include "daemon/media/quality.h"

#include "daemon/media/rtp.h"

enum { TICK_US = 125, SECOND_US = 1000000 };

void jitter_feed(struct jitter *j, uint32_t ssrc, uint32_t ts, uint64_t at_us)
{
	const int64_t d = (int64_t)(at_us - j->at_us) -
			  rtp_ts_diff(ts, j->ts) * TICK_US;
	const bool same = j->started && j->ssrc == ssrc;

	j->started = true;
	j->ssrc  = ssrc;
	j->ts    = ts;
	j->at_us = at_us;
	if (same && d > -SECOND_US && d < SECOND_US)
		j->us += ((double)(d < 0 ? -d : d) - j->us) / 16;
}

double mos_of_loss(uint64_t lost, uint64_t expected)
{
	static const double bpl = 25.1;
	const double ppl = expected ? 100.0 * (double)lost / (double)expected
				    : 0;
	const double r = 93.2 - 95 * ppl / (ppl + bpl);

	if (r <= 0)
		return 1;
	const double mos = 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r);
	return mos < 1 ? 1 : mos;
}
