/**
 * @file rtp_leg.h  A leg that receives on ports of its own
 *
 * The RTP half of every live way in: sockets, whose packets are believed
 * (source policy), which SSRC speaks, what becomes of silence.  Owns its struct
 * leg.  Reference: reliability section 1.3.
 *
 *  - RTP_SOURCE_SDP: only packets from the signalled address (its port is
 *    locked at the first packet, since senders often use another than they
 *    announce);
 *  - RTP_SOURCE_LEARN: 4 packets in order of a known payload type within 3 s
 *    make a source; the signalled address wins at once; audio of the learning
 *    phase is held and only the winner's is released;
 *  - once locked no change unless rtp_leg_update() names another address; the
 *    old source is believed until the new one speaks.
 *
 * Where nobody is signalled yet (RTP_SOURCE_SDP, family 0) what comes is kept
 * until rtp_leg_update() names one, and then is his from its first packet on
 * (early.h): no audio is lost between our 200 and the ACK.
 *
 * With a key (SRTP) a packet that is not authentic changes nothing: it is no
 * source, no SSRC, no sign of life; it is counted.  A new key by
 * rtp_leg_update() is a new context, the one before is believed until the new
 * one speaks (media/srtp.h).
 *
 * Nobody else's bytes reach an ASR: they are counted.  RTCP goes to the
 * signalled address only (receiver reports each 5 s); nothing else is sent.
 *
 * After 5 s without a packet the leg says `no_rtp` (unless held), and `rtp`
 * when they come again; `codec` when 50 in a row are nothing we decode.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/base/srtp_key.h"
#include "daemon/call/call.h"
#include "daemon/ingress/rtp_ports.h"
#include "daemon/net/clock.h"

struct rtp_leg;

enum rtp_source { RTP_SOURCE_SDP, RTP_SOURCE_LEARN };

/** What the other side said, and what it means. */
struct rtp_remote {
	struct addr at;          /**< Signalled address; family 0: none yet */
	struct addr rtcp;        /**< Where reports go; family 0: nowhere */
	bool rtcp_mux;
	uint8_t kinds[128];      /**< enum payload_kind by payload type */
	bool on_hold;            /**< Silence is expected: no `no_rtp` */
	struct srtp_key key;     /**< Theirs; {0}: media is plain */
	struct srtp_key our_key; /**< Of our reports; {0}: plain */
};

struct rtp_leg_config {
	uv_loop_t *loop;
	struct timers *timers;
	struct clock_live *clock; /**< Of the timers; NULL: others move them */
	struct rtp_ports *ports; /**< NULL: with `port` only */
	struct addr bind;        /**< Address to bind; its port is not used */
	uint16_t port;           /**< The other side dictates it: exactly this
				      one, without RTCP; 0: any pair of `ports` */
	struct call *call;
	struct leg_info info;    /**< rtp need not be known yet */
	enum rtp_source source;
	struct rtp_remote remote;
	/** No packet for `timeout_us` (held: 1 h); once, may close.  NULL:
	 * silence never ends it. */
	void (*timed_out)(void *arg);
	uint64_t timeout_us;
	void *arg;
	/** daemon.<what>: "spoof", once a minute while packets come from
	 * somebody else.  NULL: nobody is told. */
	void (*tell)(const char *what, const char *text, void *tell_arg);
	void *tell_arg;
};

/** Binds a pair and publishes leg.start.
 * @return 0, -EADDRNOTAVAIL (no port is free, or the address is not ours),
 *         -EADDRINUSE (those that no leg has are other programs', or the one
 *         that is dictated is) or -errno */
int rtp_leg_open(struct rtp_leg **out, const struct rtp_leg_config *cfg);
/** What an error of rtp_leg_open() means and what to do. */
const char *rtp_leg_trouble(int err);
/**
 * What a re-INVITE, an UPDATE or the answer in an ACK said.
 *
 * @return 0, or as srtp_in_set(); nothing changed then
 */
int rtp_leg_update(struct rtp_leg *r, const struct rtp_remote *remote);
/**
 * Ends the struct leg; no callback afterwards.  What the socket has already is
 * heard.
 *
 * @param reason NULL: the call has just been ended, and the leg with it;
 *               nothing is heard any more
 */
void rtp_leg_close(struct rtp_leg *r, const char *reason);

/** Where it receives. */
struct addr rtp_leg_address(const struct rtp_leg *r);

/** As in events. */
const char *rtp_leg_id(const struct rtp_leg *r);

/** As leg_update(). */
void rtp_leg_role(struct rtp_leg *r, enum role role, const char *role_source,
		  const char *label);

struct rtp_leg_stats {
	uint64_t packets;      /**< Of the source and its SSRC */
	uint64_t foreign;      /**< Anybody else's */
	uint64_t rtcp;         /**< Of the other side, well-formed */
	uint64_t short_or_odd; /**< Neither RTP nor RTCP */
	uint64_t refused;      /**< SRTP: not authentic, or said before */
	uint64_t dropped;      /**< Came before anybody was signalled, and were
				    more than are kept */
};
void rtp_leg_stats(const struct rtp_leg *r, struct rtp_leg_stats *out);
