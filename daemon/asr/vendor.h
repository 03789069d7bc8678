/**
 * @file vendor.h  One ASR service's protocol, as data and pure functions
 *
 * A vendor turns audio into websocket messages and messages into results.  It
 * does no I/O, keeps no globals and never sees a socket, a timer or a thread;
 * call/connection.c does all that, the same for every vendor.  So it is tested
 * with strings alone.
 *
 * To add one: write daemon/asr/vendor_<name>.c defining `asr_vendor_<name>`,
 * and put samples of what the service sends in tests/data/asr/<name>/.
 *
 *   connect: target, headers -> hello -> (wait for ready) -> audio ...
 *   -> finish -> results until done() or the service closes
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"
#include "daemon/base/reason.h"
#include "daemon/base/result.h"

/** What the samples look like on the wire. */
enum asr_encoding { ASR_PCM_S16LE, ASR_MULAW, ASR_ALAW };

struct asr_wire {
	enum asr_encoding encoding;
	uint32_t rate_hz;          /**< 8000 or 16000 */
};

/** One `params` entry of the configuration: name=value. */
struct asr_param {
	const char *name;
	const char *value;         /**< As written; sent as JSON where it is
				        one JSON value, else as a string */
};

/** What the configuration says of one asr; strings are never NULL. */
struct asr_settings {
	const char *target;        /**< Path and query of the url, "/..." */
	const char *host;          /**< Of the url */
	const char *model;         /**< "": the service's default */
	const char *language;      /**< "": none asked for */
	const char *customer_id;   /**< "": none */
	const char *key;           /**< The secret; never logged; "": none */
	struct asr_wire wire;      /**< One of the vendor's wires */
	uint32_t chunk_ms;
	const struct asr_param *params;
	size_t n_params;
};

/** One connection, as a vendor sees it. */
struct asr_session {
	const struct asr_settings *settings;
	const char *id;            /**< Our random UUID of this connection */
	void *state;               /**< asr_vendor.state_size bytes, zeroed */
};

/** One websocket message to send. */
struct asr_message {
	struct buf bytes;
	bool binary;
};

enum asr_idle {
	ASR_IDLE_NONE,
	ASR_IDLE_SILENCE,          /**< Samples of silence: first
				        idle_first_ms, then one chunk each
				        idle_next_ms, with keepalive() each
				        time where there is one */
	ASR_IDLE_MESSAGE,          /**< keepalive() each idle_next_ms */
	ASR_IDLE_PING,             /**< A websocket ping each idle_next_ms,
				        and silence as above from idle_ms on */
};

enum asr_closer { ASR_CLIENT_CLOSES, ASR_SERVER_CLOSES };

enum speech_event { SPEECH_STARTED, SPEECH_ENDED };

/** What parse() and tick() report; every member is set. */
struct asr_sink {
	void (*ready)(void *arg);                   /**< Audio may flow */
	void (*session)(const char *id, void *arg); /**< Its id of us */
	void (*result)(const struct asr_result *r, void *arg);
	void (*speech)(enum speech_event e, int64_t at_us, void *arg);
	void (*flushed)(void *arg);                 /**< Answer to flush() */
	/** The service refused or failed, in words; it will close. */
	void (*refused)(enum reason_class c, unsigned code, const char *why,
			void *arg);
	void (*done)(void *arg);                    /**< All text was sent */
	void *arg;
};

struct asr_vendor {
	const char *name;          /**< As in the configuration, [a-z0-9]+ */
	const char *url;           /**< Default */
	size_t state_size;         /**< Of asr_session.state; 0: none */
	const struct asr_wire *wires; /**< What it takes, best first */
	size_t n_wires;
	uint32_t chunk_min_ms, chunk_ms, chunk_max_ms;
	uint32_t ready_ms;         /**< Wait for ready() [ms]; 0: no need */
	bool lock_step;            /**< One answer per audio message awaited */
	double catchup;            /**< Times real time; 0: without limit */
	enum asr_idle idle;
	uint32_t idle_ms;          /**< No audio for so long: idle begins */
	uint32_t idle_first_ms;    /**< Silence sent first [ms of audio] */
	uint32_t idle_next_ms;     /**< Then each [ms] */
	uint32_t tail_pad_ms;      /**< Silence before finish() [ms] */
	uint32_t drain_ms;         /**< After finish(): without a message ... */
	uint32_t drain_max_ms;     /**< ... and altogether */
	bool flush_first;          /**< flush() goes out before finish() */
	enum asr_closer closer;
	bool close_is_done;        /**< No last message: an orderly close after
				        finish() says that all text was sent */
	uint32_t session_max_ms;   /**< Open a successor before; 0: no limit */

	/**
	 * What in the configuration this service would refuse.  NULL: nothing
	 * is ever wrong.
	 *
	 * @return NULL (all well) or a string constant: what is wrong and what
	 *         to do
	 */
	const char *(*check)(const struct asr_settings *s);
	/** Path and query of the upgrade; NULL: settings->target as it is. */
	void (*target)(const struct asr_session *s, struct buf *out);
	/** Extra request lines, each "Name: value\r\n".  NULL: none. */
	void (*headers)(const struct asr_session *s, struct buf *out);
	/** First message.  NULL, or nothing written: none. */
	void (*hello)(const struct asr_session *s, struct asr_message *out);
	/** One audio message from `len` bytes in the wire's encoding.  NULL:
	 * they are the message (binary). */
	void (*audio)(const struct asr_session *s, const uint8_t *data,
		      size_t len, struct asr_message *out);
	/** For ASR_IDLE_MESSAGE.  NULL: none. */
	void (*keepalive)(const struct asr_session *s, struct asr_message *out);
	/** "Close the segment now, go on listening."  NULL: not possible. */
	void (*flush)(const struct asr_session *s, struct asr_message *out);
	/** "No more audio comes." */
	void (*finish)(const struct asr_session *s, struct asr_message *out);
	/**
	 * What an HTTP status at the upgrade (< 1000) or a close code means
	 * here, and in words where the service's pages say it.
	 *
	 * @param why NULL or set to a string constant
	 * @return the class; REASON_NONE: as everywhere (base/reason.h)
	 */
	enum reason_class (*meaning)(unsigned code, const char **why);

	/**
	 * Read one text message.
	 *
	 * @param text Valid UTF-8, not NUL-terminated
	 * @param len  [bytes], at most 256 KiB
	 * @param now_us Real time, any epoch
	 * @param sink Called any number of times before the return
	 *
	 * @return 0, 1 (a kind of message we do not know: benign) or -EBADMSG
	 */
	int (*parse)(const struct asr_session *s, const char *text, size_t len,
		     uint64_t now_us, const struct asr_sink *sink);
	/**
	 * Called about every 100 ms for vendors whose finals depend on time,
	 * and once with `ending` when the connection ended after finish() and
	 * what was said on it stands: what is still open may be closed.  (Of
	 * a lost connection the audio is sent again: no such call.)  NULL: no
	 * need.
	 */
	void (*tick)(const struct asr_session *s, uint64_t now_us, bool ending,
		     const struct asr_sink *sink);
	/** Release what `state` points to.  NULL: nothing. */
	void (*close)(const struct asr_session *s);
};

/** Find by configured name, or NULL. */
const struct asr_vendor *asr_vendor_by_name(const char *name);
/** The i-th vendor, or NULL. */
const struct asr_vendor *asr_vendor_at(size_t i);

enum { ASR_WIRES_TELEPHONE = 4 };
/** What the telephone line has, as it is, before PCM of 8 and 16 kHz: half the
 * bytes, nothing added or lost. */
extern const struct asr_wire asr_wires_telephone[ASR_WIRES_TELEPHONE];

/** "pcm" "mulaw" "alaw" */
const char *asr_encoding_name(enum asr_encoding e);
