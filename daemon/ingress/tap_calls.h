/**
 * @file tap_calls.h  The calls a tap knows: who announced what, and who speaks
 *
 * Shared by the files of the tap.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/event.h"
#include "daemon/base/list.h"
#include "daemon/base/map.h"
#include "daemon/base/timers.h"
#include "daemon/call/call.h"
#include "daemon/ingress/anchors.h"
#include "daemon/ingress/recording.h"
#include "daemon/ingress/tap.h"
#include "daemon/media/source.h"
#include "daemon/sig/sdp.h"
#include "daemon/sig/sip.h"

enum { SIDE_CALLER, SIDE_CALLEE, SIDES };
enum { ENDPOINTS_MAX = 4 }; /* addresses of one side of an m-line */

struct tap_call;
struct tap_flow;
struct tap_keys;
struct tap_twin;
struct tap_anchors;

/** An announced address; in the index by address. */
struct endpoint {
	struct list same;         /* of struct endpoint_address */
	struct endpoint_address *address;
	struct tap_call *call;
	unsigned media, side;     /* who receives here */
};

/** What one party said of one m-line. */
struct tap_side {
	bool known;               /* it said something */
	bool encrypted, secure;   /* as in struct sdp_media */
	uint32_t said;            /* rises when its keys change */
	size_t n_crypto;
	struct srtp_key crypto[SDES_LINES_MAX];
	bool off;                 /* port 0 */
	bool sendonly;
	struct endpoint *endpoints[ENDPOINTS_MAX]; /* newest last */
	unsigned n;
	uint8_t kinds[128];       /* enum payload_kind */
	char names[128][SDP_NAME];
	char label[SDP_LABEL];
	char language[SDP_LANGUAGE];
};

/** One direction of one m-line (or of one unannounced 5-tuple). */
struct tap_leg {
	struct list in_call;
	struct tap_call *call;
	unsigned media;
	unsigned side;            /* who speaks */
	struct leg *leg;          /* NULL: no packet yet */
	const char *unusable;     /* "encrypted", "codec"; NULL: it is used */
	unsigned others;          /* packets of another codec in a row */
	bool second;              /* another live SSRC beside the first */
	struct source source;
	struct tap_flow *flow;    /* which it follows */
	uint64_t heard_us;
	uint8_t kinds[128];       /* enum payload_kind, by payload type ... */
	uint32_t generation;      /* ... as of this generation of the tap */
	struct tap_keys *keys;    /* NULL: nothing encrypted came */
	struct anchors anchors;
};

struct tap_call {
	struct list in_tap;
	struct list legs;         /* of struct tap_leg */
	struct tap *tap;
	uint64_t hash;            /* of call_id, in tap->by_call_id */
	char *call_id, *from_tag; /* "" when unannounced */
	char *from, *to;
	char *session_id;         /* RFC 7989; NULL: none was seen */
	struct addr trunk;        /* who sent its INVITE */
	char id[EVENT_ID];
	uint64_t number;          /* 1, 2 ... in order of their beginning */
	struct addr ends[SIDES];  /* unannounced: between whom */
	struct call *call;        /* NULL: not opened (or over) */
	bool announced, siprec, answered, over;
	struct recording *recording; /* what a recording client says; NULL */
	const char *refused;      /* "rejected", "cancel"; NULL: it was not */
	uint64_t refused_us;
	uint32_t cseq;            /* of the newest INVITE of the caller */
	unsigned n_media;
	struct {
		bool zrtp;        /* agreed on in the media itself */
		struct tap_side *side[SIDES]; /* NULL: nothing was said */
	} media[SDP_MEDIA_MAX];
	struct timer timer;       /* forget, give up, or RTP time-out */
	uint64_t heard_us;        /* last RTP */
	uint64_t began_us;        /* when it did; 0: when it is opened */
	uint64_t bye_us;          /* 0: none was seen */
	bool heard;               /* it has had a packet */
	struct tap_twin *twin;    /* it may be the same as an earlier one */
};

struct tap {
	struct tap_config cfg;
	struct list calls;        /* oldest first */
	struct map by_call_id;    /* newest of each Call-ID */
	struct map by_number;
	struct map by_address;    /* struct endpoint_address */
	struct map flows;
	struct list flow_list;
	unsigned n_flows;
	unsigned n_calls;
	bool draining;            /* no new ones */
	struct tap_flow *last;    /* cache: packets come in pairs */
	uint32_t generation;      /* rises when who-is-where changes */
	uint64_t occurrences;     /* calls so far, for ids */
	struct timer sweep;
	struct tap_stats stats;
	struct tap_tcp *tcp;
	struct tap_anchors *anchors; /* NULL: nobody had any use for it */
	unsigned n_twins;
};

/** A message of SIP, from UDP or out of a TCP stream. */
void tap_sip(struct tap *t, const struct addr *from, const uint8_t *data,
	     size_t len);

/** What a message of either side means for a recording client's call; behind
 * its SDP. */
void tap_recording_take(struct tap_call *c, const struct sip_message *m,
			unsigned speaker);
/** What is known of who speaks there, or NULL. */
const struct recording_line *tap_recording_line(const struct tap_leg *l);

/** An unannounced call between two addresses.  NULL: no memory */
struct tap_call *tap_call_unannounced(struct tap *t, const struct addr *a,
				      const struct addr *b, uint32_t ssrc);
/** Publish call.start, if that has not been done.  @return 0 or -ENOMEM */
int tap_call_open(struct tap_call *c);
/** The call is over: its legs end; it is remembered a while. */
void tap_call_end(struct tap_call *c, const char *reason);
void tap_call_free(struct tap_call *c);

/** Where a flow's media belongs. */
struct tap_match {
	struct tap_call *call;    /* NULL: nowhere */
	unsigned media, side;     /* side: who speaks */
	bool over;                /* it belongs to a call that is over */
};
struct tap_match tap_match(const struct tap *t, const struct addr *from,
			   const struct addr *to);

/** What that side said of the m-line; empty when it has not. */
const struct tap_side *tap_side_of(const struct tap_call *c, unsigned media,
				   unsigned side);

/** One datagram that looks like RTP. */
void tap_rtp(struct tap *t, const struct decap_packet *p, uint64_t at_us);
/** A ZRTP message (RFC 6189): from its Commit on media is encrypted. */
void tap_zrtp(struct tap *t, const struct decap_packet *p);
void tap_flows_free(struct tap *t);
/** A call is gone: nothing may point to its legs. */
void tap_flows_forget(struct tap *t, const struct tap_call *c);
/** Free flows nobody used for a while. */
void tap_flows_sweep(struct tap *t, uint64_t now_us);
