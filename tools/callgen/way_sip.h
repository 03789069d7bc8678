/**
 * @file way_sip.h  SIP calls (RFC 3261) and SIPREC (RFC 7866) from the caller's side
 *
 *   way_sip     the socket, and whose message it is
 *   sip_call    one call: INVITE, ACK, re-INVITE for hold, BYE, retransmissions
 *   sip_write   the messages
 *   sip_text    reads what comes back
 *   dialect     what stands around the SDP in SIPREC
 */
#pragma once

#include "daemon/base/map.h"
#include "tools/callgen/dialect.h"
#include "tools/callgen/gen.h"
#include "tools/callgen/sip_text.h"

struct sip_end {
	struct gen *gen;
	struct udp *udp;          /**< One of both */
	struct stream *stream;
	struct sip_stream *in;
	struct buf early;         /**< Before TCP is up */
	bool up, closing;
	struct addr at;           /**< Ours */
	struct dialect dialect;   /**< legs 0: no SIPREC */
	struct map calls;         /**< By Call-ID */
	char run[16];             /**< In each Call-ID: no two runs are alike */
};

/** One call's dialog; the call's `priv`. */
struct sip_call {
	struct sip_end *end;
	struct call *call;
	char id[CALL_ID + 32];    /**< Call-ID */
	uint32_t cseq;            /**< Of the last request */
	unsigned branch, version; /**< Of it, and of the last SDP */
	struct buf to, target, routes; /**< As the answer said; empty before */
	struct buf request;       /**< Not answered yet */
	struct buf ack;           /**< Of the last 200 to an INVITE */
	uint32_t ack_cseq;
	bool open;                /**< `request` waits */
	bool inviting;            /**< ... and is an INVITE */
	bool ringing;             /**< ... of which something was heard */
	bool up, leaving;         /**< Answered; BYE is wanted or sent */
	bool byed;
	bool held, want_held;     /**< As told, and as wanted */
	bool failed;
	struct timer timer;
	uint64_t interval_us, deadline_us, asked_us;
	unsigned status, sends;   /**< Final answer to the first INVITE */
	uint64_t answer_us;
};

/** @return 0 or an exit code, said on stderr; then nothing is left of it */
int way_sip_open(struct gen *g);
/** Closes the socket; a call may be just receiving. */
void way_sip_close(struct gen *g);
/** Behind the loop's end. */
void way_sip_free(struct gen *g);
void sip_end_send(struct sip_end *e, const struct buf *message);

/** The ways of way_sip. */
void sip_call_begin(struct call *c);
void sip_call_end(struct call *c);
void sip_call_hold(struct call *c, bool held);
/** A message of this call. */
void sip_call_received(struct sip_call *s, const struct sip_text *m);
/** Its connection broke. */
void sip_call_broke(struct sip_call *s);

/** Into `out`, which is cleared before. */
void sip_write_invite(struct buf *out, const struct sip_call *s);
/** BYE or, with the INVITE's number, ACK of a 200. */
void sip_write_plain(struct buf *out, const struct sip_call *s,
		     const char *method, uint32_t cseq);
/** ACK of a refusal: of the INVITE's own transaction. */
void sip_write_refused(struct buf *out, const struct sip_call *s,
		       const struct sip_text *answer);
/** An answer to what the other side asked. */
void sip_write_answer(struct buf *out, const struct sip_text *request,
		      unsigned status);
