/**
 * @file service.h  One configured ASR service, ready to be connected to
 *
 * Made from the configuration at start; shared by all legs that use it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "daemon/asr/vendor.h"
#include "daemon/base/buf.h"
#include "daemon/cfg/config.h"
#include "daemon/call/gate.h"

struct reread;
struct resolver;
struct timer_once;
struct tls_context;

struct service {
	const struct config_asr *config;
	const struct asr_vendor *vendor;
	struct asr_settings settings;
	struct asr_param *params;
	char *target;
	char host[254];
	uint16_t port;
	struct tls_context *tls;  /**< NULL: ws:// */
	struct buf key;
	char proxy_host[254];     /**< "": none */
	uint16_t proxy_port;
	struct buf proxy_auth;    /**< "user:password"; empty: none */
	const char *credentials;  /**< $CREDENTIALS_DIRECTORY or NULL */
	void *owner;              /**< Of whoever opened it */
	struct service *fallback; /**< NULL: none; set by whoever opens all */
	uint32_t session_max_ms;  /**< Open a successor before; 0: no limit */

	uv_loop_t *loop;          /**< From service_start() on */
	struct resolver *resolver;
	struct gate *gate;
	struct timer_once *gate_timer;
	bool disabled;            /**< By an operator: new legs go elsewhere */
	struct reason last;       /**< Why a connection failed or was lost ... */
	uint64_t last_ms;         /**< ... the last time (loop) */
	uint64_t latencies;       /**< Of finals, so many ... */
	uint64_t latency_ms;      /**< ... lately so long (mean, weight 1/8) */
	bool dead;                /**< A leg gave it up for taking too long, and
				       none got in since */
	struct reread *rereading; /**< The key's file, in a pool job */
	bool told_restart;        /**< ... cannot be: told since it worked */
	uint64_t not_after_s;     /**< Its certificate's end; 0: not known */
	unsigned expiry_told;     /**< Days before the end it was told of */
	/** "asr_down", "asr_up", "asr_certificate" or "quota"; NULL: nobody is
	 * told. */
	void (*tell)(const struct service *s, const char *what,
		     const struct reason *why, void *arg);
	void *arg;
};

/**
 * @param config Must outlive it
 * @param credentials $CREDENTIALS_DIRECTORY or NULL
 * @param why On error, in words, with the cure: a line for each thing wrong,
 *            the last without its line feed
 *
 * @return 0 or -errno
 */
int service_open(struct service **out, const struct config_asr *config,
		 const char *credentials, struct buf *why);
/** Make it usable by legs.  @return 0 or -ENOMEM */
int service_start(struct service *s, uv_loop_t *loop);
/** No leg uses it any more: its handles close on the loop. */
void service_stop(struct service *s);
/** Once the loop has run dry: handshakes in the pool still used its trust. */
void service_close(struct service *s);

/** Something happened at the gate: grant what may be granted, and look again
 * when the time has come. */
void service_gate_run(const struct service *s);
/** gate_down_long(), now. */
bool service_down_long(const struct service *s, uint64_t longer_ms);
/** The service refused the key: read the file again, off the loop; when it has
 * changed, everybody may try again at once. */
void service_reread_key(struct service *s);
/** A final came so long after its last sample. */
void service_latency(struct service *s, uint64_t ms);
/** A connection is ready: its certificate's end [Unix time, s] is known; told
 * of once 14 days and once 3 days before. */
void service_certificate(struct service *s, uint64_t not_after_s);
