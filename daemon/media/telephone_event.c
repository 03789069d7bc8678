/** @file telephone_event.c  Digits in RTP (RFC 4733) */
#include "daemon/media/telephone_event.h"

#include <errno.h>

#include "daemon/base/rd.h"
#include "daemon/media/rtp.h"

enum {
	EVENT_END    = 0x80,
	EVENT_VOLUME = 0x3f,
	SEGMENT      = 0xffff,     /* 2.5.1.3: longest duration of one part */
	STALE        = 8000 * 5,   /* an older timestamp within: a packet of
				      an event that is over */
};

int telephone_event_parse(struct telephone_event *out, const uint8_t *data,
			  size_t len)
{
	struct rd r = rd_of(data, len);
	const uint8_t code = rd_u8(&r);
	const uint8_t bits = rd_u8(&r);
	const uint16_t duration = rd_u16(&r);

	if (r.bad)
		return -EBADMSG;

	*out = (struct telephone_event){
		.code = code, .end = bits & EVENT_END,
		.volume = bits & EVENT_VOLUME, .duration = duration,
	};
	return 0;
}

char telephone_event_digit(uint8_t code)
{
	static const char digit[] = "0123456789*#ABCD!";

	return code < sizeof(digit) - 1 ? digit[code] : '\0';
}

static bool take(struct digits *d, struct digit *out)
{
	d->active = false;
	d->ended  = false;
	*out = d->now;
	return true;
}

static void begin(struct digits *d, const struct telephone_event *e,
		  uint32_t ts, uint64_t pos)
{
	d->active   = true;
	d->known    = true;
	d->code     = e->code;
	d->ts       = d->segment = ts;
	d->duration = 0;
	d->now = (struct digit){
		.digit = telephone_event_digit(e->code), .pos = pos,
	};
}

static void extend(struct digits *d, const struct telephone_event *e,
		   uint64_t at_us)
{
	if (e->duration > d->duration)
		d->duration = e->duration;
	d->now.len   = (uint64_t)(d->segment - d->ts) + d->duration;
	d->now.at_us = at_us;
	d->ended     = d->ended || e->end;
}

/* Of the event that goes on, or of one that came out already? */
static bool is_same(const struct digits *d, const struct telephone_event *e,
		    uint32_t ts)
{
	return d->known && d->code == e->code &&
	       (d->ts == ts || d->segment == ts);
}

static bool is_next_part(const struct digits *d,
			 const struct telephone_event *e, uint32_t ts)
{
	return d->active && d->code == e->code && ts - d->segment == SEGMENT;
}

static bool is_stale(const struct digits *d, uint32_t ts)
{
	const int64_t off = d->known ? rtp_ts_diff(ts, d->ts) : 0;

	return off < 0 && off > -STALE;
}

static bool look(struct digits *d, struct digit *out, uint64_t at_us)
{
	if (d->active && (d->ended ||
	    at_us - d->now.at_us >= TELEPHONE_EVENT_QUIET_US))
		return take(d, out);
	return false;
}

bool digits_feed(struct digits *d, struct digit *out,
		 const struct telephone_event *e, uint32_t ts, uint64_t pos,
		 uint64_t at_us)
{
	bool given = false;

	if (!e || !telephone_event_digit(e->code))
		return look(d, out, at_us);

	if (is_next_part(d, e, ts)) {
		d->segment  = ts;
		d->duration = 0;
	} else if (!is_same(d, e, ts)) {
		if (is_stale(d, ts))
			return look(d, out, at_us);
		if (d->active)
			given = take(d, out);
		begin(d, e, ts, pos);
	} else if (!d->active) {
		return false;            /* sent again */
	}

	extend(d, e, at_us);
	return given || look(d, out, at_us);
}

bool digits_flush(struct digits *d, struct digit *out)
{
	return d->active && take(d, out);
}
