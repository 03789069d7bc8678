/** @file sdp_remote.c  What an m-line means for the one who receives */
#include "daemon/ingress/sdp_remote.h"

#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"

enum payload_kind sdp_kind(const struct sdp_format *f)
{
	static const struct {
		const char *name;
		enum payload_kind kind;
	} known[] = {
		{ "PCMU", PAYLOAD_PCMU },
		{ "PCMA", PAYLOAD_PCMA },
		{ "L16", PAYLOAD_L16 },
		{ "CN", PAYLOAD_COMFORT_NOISE },
		{ "telephone-event", PAYLOAD_TELEPHONE_EVENT },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		if (strcasecmp(f->name, known[i].name) != 0)
			continue;
		/* events keep their meaning at any clock; audio does not */
		return known[i].kind == PAYLOAD_TELEPHONE_EVENT ||
				       (f->clock_hz == 8000 && f->channels == 1)
			       ? known[i].kind
			       : PAYLOAD_OTHER_CODEC;
	}
	return PAYLOAD_OTHER_CODEC;
}

void sdp_kinds(uint8_t kinds[128], const struct sdp_media *m)
{
	struct receiver_config usual;

	receiver_config_default(&usual);
	memcpy(kinds, usual.kind, sizeof(usual.kind));
	for (size_t i = 0; i < m->n_formats; i++)
		kinds[m->formats[i].pt & 0x7f] =
			(uint8_t)sdp_kind(&m->formats[i]);
}

void sdp_remote(struct rtp_remote *out, const struct sdp_media *m)
{
	*out = (struct rtp_remote){
		.rtcp_mux = m->rtcp_mux,
		.on_hold = m->direction == SDP_INACTIVE ||
			   m->direction == SDP_RECVONLY,
	};
	sdp_kinds(out->kinds, m);
	if (!m->at.family || addr_is_any(&m->at))
		return;
	out->at = out->rtcp = m->at;
	out->rtcp.port = m->rtcp_mux ? m->at.port : m->rtcp_port;
}
