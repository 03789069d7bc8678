/**
 * @file connection.h  One websocket of a leg to an ASR service
 *
 *   CONNECTING -> WAITING (for ready) -> STREAMING -> DRAINING -> over()
 *
 * The same for every vendor; what differs is data in struct asr_vendor.  Knows
 * no audio: who owns it takes chunks from a feeder and hands over bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/asr/vendor.h"
#include "daemon/base/reason.h"
#include "daemon/call/service.h"
#include "daemon/net/tls.h"
#include "daemon/net/websocket.h"

struct connection;

/** Every member is set.  Only over() may close it. */
struct connection_cb {
	void (*ready)(void *arg);  /**< Audio may be sent */
	void (*room)(void *arg);   /**< connection_room() again */
	void (*session)(const char *id, void *arg);
	/** @return false: its times cannot be: the message is a bad one */
	bool (*result)(const struct asr_result *r, void *arg);
	void (*speech)(enum speech_event e, int64_t at_us, void *arg);
	void (*heard)(void *arg);  /**< A message came, of any kind */
	void (*bad)(void *arg);    /**< ... and was dropped */
	/**
	 * The last one.
	 *
	 * @param drained After connection_finish(): all text has come
	 */
	void (*over)(const struct reason *why, bool drained, void *arg);
};

/** @return 0 or -errno; everything later comes by over() */
int connection_open(struct connection **out, uv_loop_t *loop,
		    const struct service *s, const struct connection_cb *cb,
		    void *arg);
/** Drop it; no callback afterwards.  NULL is fine. */
void connection_close(struct connection *c);

/** Ready, and little enough is queued to send more? */
bool connection_room(const struct connection *c);
/** Bytes queued, or sent and not acknowledged by the service's host. */
size_t connection_unacknowledged(const struct connection *c);
/** One audio message, in the service's wire encoding.  @return 0 or -errno */
int connection_audio(struct connection *c, const uint8_t *data, size_t len);
/** The vendor's keep-alive message or a ping, where it has one. */
void connection_keepalive(struct connection *c);
/** No more audio: the vendor's end message, then wait for the last words. */
void connection_finish(struct connection *c);
/** How far it came, and when; also inside over(). */
void connection_phases(const struct connection *c,
		       struct websocket_phases *out);
/** What TLS agreed on, while the websocket lives.  @return false: no TLS */
bool connection_tls(const struct connection *c, struct tls_facts *out);
/** Was the websocket ever open? */
bool connection_was_open(const struct connection *c);
