/** @file stream_leg.c  A leg whose audio comes as a stream of samples */
#include "daemon/ingress/stream_leg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/buf.h"
#include "daemon/media/stream_clock.h"

enum {
	SECOND_US = 1000 * 1000,
	NO_AUDIO_US = 5 * SECOND_US,
	HELD_MAX = 2 * 8000 * 10,  /* bytes: 10 s in no time are no stall */
};

struct stream_leg {
	struct timers *timers;
	struct leg *leg;
	struct stream_clock clock;
	struct buf held;           /* network byte order */
	uint64_t held_us;          /* arrival of its first sample */
	struct timer release;
	struct timer silence;
	uint64_t heard_us;
	bool spoken;
	bool no_audio;             /* was told */
};

/* -- samples ---------------------------------------------------------------- */

static void swap(uint8_t *out, const uint8_t *le, size_t n, size_t stride)
{
	for (size_t i = 0; i < n; i++, le += stride) {
		out[2 * i] = le[1];
		out[2 * i + 1] = le[0];
	}
}

/* What is held goes on, behind so much silence. */
static void let_go(struct stream_leg *s, uint64_t silence)
{
	leg_samples(s->leg, silence, s->held.data, s->held.len / 2,
		    s->held_us);
	buf_clear(&s->held);
	timers_disarm(s->timers, &s->release);
}

static void on_release(struct timer *t, uint64_t now_us)
{
	struct stream_leg *s = list_item(t, struct stream_leg, release);

	(void)now_us;
	let_go(s, stream_clock_release(&s->clock));
}

static void heard(struct stream_leg *s, uint64_t at_us)
{
	s->heard_us = at_us;
	s->spoken = true;
	if (!s->no_audio)
		return;
	s->no_audio = false;
	leg_note(s->leg, "audio");
	timers_arm(s->timers, &s->silence, at_us + NO_AUDIO_US);
}

void stream_leg_samples(struct stream_leg *s, const uint8_t *le, size_t n,
			size_t stride, uint64_t at_us)
{
	uint8_t *room = n ? buf_room(&s->held, 2 * n) : NULL;

	if (!room)
		return; /* without memory it is as if it had not come */
	if (!s->held.len)
		s->held_us = at_us;
	swap(room, le, n, stride);
	s->held.len += 2 * n;
	heard(s, at_us);
	if (!stream_clock_put(&s->clock, n, at_us))
		let_go(s, 0);
	else if (s->held.len > HELD_MAX ||
		 timers_arm(s->timers, &s->release,
			    stream_clock_deadline_us(&s->clock)))
		let_go(s, stream_clock_release(&s->clock));
}

void stream_leg_digit(struct stream_leg *s, char digit)
{
	if (digit && strchr("0123456789*#ABCD", digit))
		leg_digit(s->leg, digit);
}

void stream_leg_unusable(struct stream_leg *s, const char *reason)
{
	leg_unusable(s->leg, reason);
}

/* -- silence ---------------------------------------------------------------- */

static void on_silence(struct timer *t, uint64_t now_us)
{
	struct stream_leg *s = list_item(t, struct stream_leg, silence);

	if (now_us < s->heard_us + NO_AUDIO_US) {
		timers_arm(s->timers, t, s->heard_us + NO_AUDIO_US);
		return;
	}
	s->no_audio = true;
	leg_note(s->leg, "no_audio");
}

/* -- life ------------------------------------------------------------------- */

int stream_leg_open(struct stream_leg **out,
		    const struct stream_leg_config *cfg)
{
	const struct leg_info i = {
		.role = cfg->role, .role_source = cfg->role_source,
		.label = cfg->label, .language = cfg->language, .codec = "L16",
		.stream = true, .final = cfg->final, .final_arg = cfg->arg,
	};
	struct stream_leg *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	const int err = leg_open(&s->leg, cfg->call, &i);
	if (err) {
		free(s);
		return err;
	}
	s->timers = cfg->timers;
	s->release.due = on_release;
	s->silence.due = on_silence;
	s->heard_us = timers_now_us(s->timers);
	timers_arm(s->timers, &s->silence, s->heard_us + NO_AUDIO_US);
	*out = s;
	return 0;
}

uint64_t stream_leg_heard_us(const struct stream_leg *s)
{
	return s->heard_us;
}

bool stream_leg_has_spoken(const struct stream_leg *s)
{
	return s->spoken;
}

const char *stream_leg_id(const struct stream_leg *s)
{
	return leg_id(s->leg);
}

void stream_leg_close(struct stream_leg *s, const char *reason)
{
	if (!s)
		return;
	if (reason) {
		let_go(s, stream_clock_release(&s->clock));
		leg_end(s->leg, reason);
	}
	timers_disarm(s->timers, &s->release);
	timers_disarm(s->timers, &s->silence);
	buf_free(&s->held);
	free(s);
}
