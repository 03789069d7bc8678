/**
 * @file sip_server.h  The SIP server's calls; shared by its files
 *
 *   way_sip.c     sockets, who may call, what is answered outside of a call
 *   sip_invite.c  an INVITE that begins a call
 *   sip_call.c    a call's life: what it sends, its timers, its end
 *   sip_inside.c  requests inside a dialog
 *   sip_media.c   session descriptions and the legs they make
 *   sip_siprec.c  what a recording client says besides them
 *
 * Every INVITE gets its final answer at once; what is refused leaves no state
 * (RFC 3261 section 8.2.7).  A call that is over is remembered for 32 s, since
 * its last messages may come again.
 */
#pragma once

#include "daemon/base/buf.h"
#include "daemon/base/list.h"
#include "daemon/base/log.h"
#include "daemon/base/map.h"
#include "daemon/ingress/recording.h"
#include "daemon/ingress/rtp_leg.h"
#include "daemon/ingress/sip_keys.h"
#include "daemon/ingress/sip_sockets.h"
#include "daemon/ingress/way.h"
#include "daemon/sig/answer.h"
#include "daemon/sig/sip.h"
#include "daemon/sig/sip_dialog.h"
#include "daemon/sig/sip_fields.h"
#include "daemon/sig/sip_resend.h"
#include "daemon/sig/sip_respond.h"

/** A request, while it is being handled. */
struct sip_request {
	const struct sip_message *m;
	const struct sip_fields *f;
	const uint8_t *data;      /**< The whole message */
	size_t len;
	struct sip_peer peer;
};

struct sip_server {
	struct way_config cfg;
	struct addr media;        /**< rtp { address } */
	struct sip_sockets *sockets;
	struct list calls;        /**< Oldest first */
	struct map by_call_id;
	unsigned n_calls;         /**< Running */
	unsigned n_ending;        /**< Those that our BYE is out for */
	unsigned n_kept;          /**< All, those that are over, too */
	bool draining;
	bool ended;               /**< end() was called: no time is left */
	uint64_t secret;          /**< Of the tags in what is refused */
	uint64_t answered, refused, strange; /**< Requests; junk */
	struct log_limit told[8]; /**< By kind of refusal */
	uint64_t strangers_s;     /**< The second in which ... */
	unsigned strangers;       /**< ... so many were told 403 */
	struct log_limit no_leg;
	struct recording_config recording; /**< Of the configuration */
	struct log_limit bad_metadata;
};

struct sip_leg {
	struct rtp_leg *rtp;      /**< NULL: the line is refused or gone */
	struct sip_keys keys;
};

enum sip_state {
	SIP_RUNNING,
	SIP_ENDING,               /**< Our BYE is under way */
	SIP_OVER,
};

struct sip_call {
	struct list in_server;
	struct sip_server *server;
	enum sip_state state;
	uint64_t hash;            /**< Of its Call-ID */
	struct sip_dialog *dialog;
	struct sip_peer peer;     /**< Of its newest request */
	struct addr answer_to;    /**< UDP: where answers to that go */

	uint32_t begin_cseq;      /**< INVITE that began it */
	char *begin_branch;
	uint32_t invite_cseq;     /**< Newest that was accepted, its answer */
	struct buf final;
	bool acked;               /**< ... until the ACK has come */
	struct sip_resend resend;
	bool offered;             /**< Our offer waits for its answer */

	enum sip_method last_method; /**< Newest other request ... */
	uint32_t last_cseq;
	struct buf last;          /**< ... and its answer, if it comes again */

	struct buf bye;           /**< Ours */
	struct sip_resend bye_resend;
	unsigned byes;            /**< How often it was sent */
	uint64_t forget_us;       /**< OVER: when */

	uint64_t session_us;      /**< Ends unless refreshed; 0: never */
	uint64_t latest_us;       /**< Ends in any case */
	uint64_t heard_us;        /**< media-timeout: last look, and ... */
	uint64_t packets;         /**< ... packets by then */
	struct timer timer;

	struct call *call;        /**< NULL: over */
	bool siprec;
	struct recording *recording; /**< sip_siprec.h's; NULL: plain */
	struct sdp *offer;        /**< Theirs; NULL: only ours, or OVER */
	struct sdp_answer *answer; /**< What holds; NULL: OVER */
	struct answer_origin origin;
	struct sip_leg legs[SDP_MEDIA_MAX];
};

/* -- way_sip.c ---------------------------------------------------------------- */

/** An answer that is not kept.  @param headers Lines, or NULL */
void sip_refuse(struct sip_server *s, const struct sip_request *r,
		unsigned status, const char *headers);
/** May a new call come?  @return 0, or 503 with `headers` */
unsigned sip_admit(struct sip_server *s, unsigned lines, struct buf *headers);

/* -- sip_call.c ----------------------------------------------------------------- */

/** @return 0, -EMSGSIZE (too many routes), -EBADMSG (nobody to answer) or
 *  -ENOMEM */
int sip_call_new(struct sip_call **out, struct sip_server *s,
		 const struct sip_request *r);
/** Its session timer, from now on; 0: none. */
void sip_call_refresh(struct sip_call *c, uint32_t session_s);
/** The call whose dialog this is in, over or not; NULL: none. */
struct sip_call *sip_call_find(struct sip_server *s,
			       const struct sip_message *m);
/** The call that this INVITE, or the CANCEL of it, began. */
struct sip_call *sip_call_begun_by(struct sip_server *s,
				   const struct sip_message *m);
/** They said BYE: its legs and the call end. */
void sip_call_over(struct sip_call *c, const char *reason);
/** We say BYE. */
void sip_call_bye(struct sip_call *c, const char *reason);
/** Gone, without a word.  @param reason If it is not over yet */
void sip_call_free(struct sip_call *c, const char *reason);
/** Deadlines have changed. */
void sip_call_arm(struct sip_call *c);
/** An answer to `r` as it goes out. @param rr With Record-Route */
int sip_call_compose(struct buf *out, const struct sip_call *c,
		     const struct sip_request *r, unsigned status,
		     const char *headers, const struct buf *sdp);
void sip_call_send(struct sip_call *c, const struct buf *message);
/** The 200 to an INVITE: sent, and again until its ACK. */
void sip_call_accept(struct sip_call *c, const struct sip_request *r,
		     const char *headers, const struct buf *sdp);

/* -- sip_invite.c ----------------------------------------------------------------- */

/** An INVITE outside of a dialog. */
void sip_call_invite(struct sip_server *s, const struct sip_request *r);

/* -- sip_inside.c ----------------------------------------------------------------- */

void sip_inside(struct sip_call *c, const struct sip_request *r);

/* -- sip_media.c ------------------------------------------------------------------ */

/**
 * What `m` offers: judged, not yet done.
 *
 * @param offer Theirs; NULL: none is in it, `out` becomes ours
 *
 * @return 0 or the answer's status (400, 488)
 */
unsigned sip_media_judge(const struct sip_call *c, struct sdp_answer *out,
			 struct sdp **offer, const struct sip_message *m,
			 struct buf *headers);
/**
 * Legs open, change and close by it; `sdp` is what to answer.  Owns `offer`
 * from here on.
 *
 * @return 0 or -errno: not one leg of a new call could be opened
 */
int sip_media_apply(struct sip_call *c, const struct sdp_answer *a,
		    struct sdp *offer, struct buf *sdp);
/** The answer to our offer came with the ACK; false: nothing was agreed on. */
bool sip_media_agree(struct sip_call *c, const struct sip_message *ack);
/** All legs.  @param reason NULL: the call has just been ended */
void sip_media_close(struct sip_call *c, const char *reason);
/** Packets of all legs so far; `on_hold`: nothing is expected. */
uint64_t sip_media_packets(const struct sip_call *c, bool *on_hold);
unsigned sip_media_legs(const struct sip_call *c);
