/**
 * @file config.h  The configuration as values (INTERFACES section 2)
 *
 * One table (table.c) has every key with its type, unit, default, limits and
 * help; the parser, -t, the messages and the sample file come from it.  Sizes
 * are bytes, durations milliseconds.  Strings are never NULL, hold no control
 * characters (but line breaks and tabs in a param's value) and live as long as
 * the config.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"
#include "daemon/base/leg_facts.h"

enum {
	CONFIG_FILE_MAX = 256 * 1024, /**< [bytes] */
	CONFIG_ASRS_MAX = 256,
	CONFIG_ROUTES_MAX = 1024,
	CONFIG_PARAMS_MAX = 64,       /**< Of one asr */
};

/** A name and a value sent to the service as they are. */
struct config_param {
	char *name;
	char *value;
};

struct config_asr {
	char *name;
	char *vendor;
	char *url;               /**< "": the vendor's default */
	char *api_key_file;
	char *customer_id;
	char *model;
	char *language;
	char *encoding;          /**< "": the vendor's first; else "pcm",
				      "mulaw" or "alaw" */
	uint32_t chunk_ms;       /**< 0: the vendor's default */
	struct config_param *params;
	size_t n_params;
	char *tls_ca_file;
	char *tls_server_name;   /**< "": the url's host */
	char *proxy;             /**< "http://host:port"; "": none */
	char *proxy_auth_file;
	char *fallback;
	bool insecure;
	char *tls_pin_sha256;    /**< Of the key (SPKI), hex; "": none */
	uint32_t session_max_ms; /**< 0: the vendor's own, or no limit */
	uint32_t connects_per_second; /**< 0: 50 */
	unsigned line;           /**< Where it begins, for messages */
};

/** Members left empty match everything; the first route that matches wins. */
struct config_route {
	char *asr;               /**< A name, or "none" */
	char *source;            /**< "sip" "replay" ...; "": any */
	char *trunk;             /**< A network (base/network.h) */
	char *called, *calling;  /**< Prefixes */
	char *header;            /**< "name: value", or "name": it is there */
	char *language;          /**< "en" is also "en-US" (RFC 4647) */
	char *role;
	unsigned line;
};

struct config {
	char *file;              /**< It was read from; "": built-in defaults */
	/** `given`: the file has the section.  What is not given holds its
	 * defaults, which only the running service uses (not a replay). */
	struct { bool given; char *socket; uint32_t mode; char *group; } events;
	struct { bool given; char *socket; uint32_t mode;
		 uint32_t drain_timeout_ms; } control;
	struct {
		bool given;
		char *directory;
		uint64_t size, age_ms;
		bool text;
	} journal;
	struct { bool given; char *listen; bool transcripts; } http;
	struct { bool given; char *interface; char *filter; } capture;
	/** Lists are NULL-ended. */
	struct {
		bool given;
		unsigned line;
		char **listen;   /**< listen.h */
		char **permit;   /**< base/network.h */
		uint32_t max_calls;
		uint32_t max_call_duration_ms;
		uint32_t media_timeout_ms; /**< 0: none */
		bool refuse_without_asr;
		char **headers;
		char *tls_cert_file, *tls_key_file; /**< "": none */
	} sip;
	struct {
		bool given;
		char **agent, **caller, **internal;
		bool swap;
		char **extensions;
	} siprec;
	struct { bool given; char *address; char *ports; char *source;
		 uint32_t timeout_ms; } rtp;
	struct { bool given; char **listen; char **permit;
		 uint32_t max_connections; } audiosocket;
	struct {
		bool given;
		unsigned line;
		char **listen;   /**< listen.h */
		char *path;      /**< "": any */
		char **permit;   /**< base/network.h */
		char *auth_file, *tls_cert_file, *tls_key_file; /**< "": none */
		char *mix, *stereo;
		bool send_transcripts;
		uint32_t max_connections;
	} websocket;
	struct {
		bool given;
		unsigned line;
		char **listen;   /**< listen.h; NULL is refused */
		char **permit;   /**< base/network.h */
		char *party;
		bool mixed;
		uint32_t max_calls;
	} oreka;
	struct config_asr *asrs;
	size_t n_asrs;
	struct config_route *routes;
	size_t n_routes;
	bool dtmf;               /**< Publish telephone-events */
	char *redact;            /**< "none", "pan": card numbers */
};

/**
 * Read and check a file.
 *
 * @param errors Each error as "FILE:LINE: what is wrong and what to do\n".
 *               Syntax and unknown keys stop at the first; wrong values and
 *               references are all listed.
 *
 * @return 0, -ENOENT, -EACCES, -EINVAL (errors say why) or -ENOMEM; `out` is
 *         set on success only
 */
int config_load(struct config **out, const char *path, struct buf *errors);
/** For checks only: `out` is set as well when there are wrong values or
 * references (-EINVAL) but the file could be read to its end. */
int config_load_all(struct config **out, const char *path, struct buf *errors);
/** The same from memory; `name` stands for the file in messages. */
int config_parse(struct config **out, const char *name, const char *text,
		 size_t len, struct buf *errors);
/** What holds without a file: no asr, no route. */
int config_default(struct config **out);
void config_free(struct config *c);

/**
 * Append what of `next` cannot take effect while `running` runs: "rtp.ports,
 * http", sections that came or went and keys marked so.
 */
void config_restart_keys(struct buf *out, const struct config *running,
			 const struct config *next);

/** By name, or NULL. */
const struct config_asr *config_asr(const struct config *c, const char *name);

/**
 * The first route that matches.
 *
 * @return its asr, or NULL: "none", or no route
 */
const struct config_asr *config_route(const struct config *c,
				      const struct leg_facts *f);

/** The sample file: every key commented, with unit, default and help. */
int config_print_sample(struct buf *out);

/**
 * Read a secret: one line, no white space at its ends.  A file that group or
 * others can read is refused, except below `credentials` (systemd's
 * $CREDENTIALS_DIRECTORY; NULL: none).
 *
 * @param why In words on error, with the cure
 * @return 0 or -errno; `secret` is to be wiped with config_wipe()
 */
int config_secret(struct buf *secret, const char *path, const char *credentials,
		  struct buf *why);
/** Overwrite and free. */
void config_wipe(struct buf *secret);
