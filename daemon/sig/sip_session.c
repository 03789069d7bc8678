/** @file sip_session.c  Session timers, never as the refresher */
#include "daemon/sig/sip_session.h"

#include "daemon/base/array.h"
#include "daemon/base/number.h"

enum { INTERVAL_MAX = 7 * 24 * 3600, END_S = 32 };

unsigned sip_session(struct buf *headers, uint32_t *session_s,
		     const struct sip_fields *f)
{
	struct sip_text value = sip_field(f, "session-expires", 0), who = { 0 };
	struct sip_text seconds = value;
	uint64_t n;

	*session_s = 0;
	if (!value.p)
		return 0;
	seconds = sip_text_trim(sip_text_cut(&seconds, ';'));
	const int err = number_parse(&n, seconds.p, seconds.len, UINT32_MAX);

	if (err)
		return 400;
	if (!sip_field_lists(f, "supported", "timer") &&
	    !sip_field_lists(f, "require", "timer"))
		return 0;
	if (n < SIP_MIN_SE_S) {
		buf_printf(headers, "Min-SE: %d\r\n", SIP_MIN_SE_S);
		return 422;
	}
	if (sip_param(value, "refresher", &who) && sip_text_is(who, "uas"))
		return 0;
	*session_s = (uint32_t)MIN(n, (uint64_t)INTERVAL_MAX);
	buf_printf(headers, "Require: timer\r\n"
			    "Session-Expires: %u;refresher=uac\r\n",
		   *session_s);
	return 0;
}

uint32_t sip_session_ends_s(uint32_t session_s)
{
	return session_s - MIN(session_s / 3, (uint32_t)END_S);
}
