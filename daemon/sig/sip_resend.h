/**
 * @file sip_resend.h  When to send again what nobody has confirmed
 *
 * RFC 3261's T1 (500 ms), doubling up to T2 (4 s), given up after 64 * T1: a
 * 200 until its ACK (section 13.3.1.4), a request until its answer (timers E
 * and F).  Pure: time is an argument.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	SIP_T1_US = 500 * 1000,
	SIP_T2_US = 4000 * 1000,
	SIP_GIVE_UP_US = 64 * SIP_T1_US,
};

struct sip_resend {
	uint64_t next_us, step_us, until_us;
};

/** It was sent the first time just now. */
static inline void sip_resend_begin(struct sip_resend *r, uint64_t now_us)
{
	r->step_us = SIP_T1_US;
	r->next_us = now_us + SIP_T1_US;
	r->until_us = now_us + SIP_GIVE_UP_US;
}

/** When to look again. */
static inline uint64_t sip_resend_due_us(const struct sip_resend *r)
{
	return r->next_us < r->until_us ? r->next_us : r->until_us;
}

/** Nobody confirmed it for too long. */
static inline bool sip_resend_over(const struct sip_resend *r, uint64_t now_us)
{
	return now_us >= r->until_us;
}

/** It is time, and it is sent again. */
static inline bool sip_resend_step(struct sip_resend *r, uint64_t now_us)
{
	if (now_us < r->next_us)
		return false;
	r->step_us = r->step_us < SIP_T2_US / 2 ? 2 * r->step_us : SIP_T2_US;
	r->next_us = now_us + r->step_us;
	return true;
}
