/**
 * @file siprec.h  What a recording client says of a call (RFC 7865), by expat
 *
 * Every dialect seen is read: the three namespaces and none, ids as
 * `session_id` or `id`, associations beside the participants or inside, any
 * order, foreign elements anywhere.  Elements are told by their local name and
 * where they stand; what is unknown is an extension and kept by name.
 *
 * Limits: 64 KiB, 32 levels, 2,000 elements, a DTD is refused (and with it all
 * entities but the five); counts as below, what is beyond them is left out.
 * Texts are trimmed, cleaned and cut at SIPREC_TEXT bytes.
 *
 * Pure.  Nothing here is ever a reason to refuse a call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/base/role.h"

enum {
	SIPREC_BYTES_MAX = 64 * 1024,
	SIPREC_DEPTH_MAX = 32,
	SIPREC_ELEMENTS_MAX = 2000,
	SIPREC_SESSIONS_MAX = 4,
	SIPREC_PARTICIPANTS_MAX = 16,
	SIPREC_STREAMS_MAX = 16,
	SIPREC_LINKS_MAX = 64,
	SIPREC_EXTENSIONS_MAX = 64,
	SIPREC_TEXT = 256,
};

/** Strings everywhere: own copies, never NULL, "" when not said. */
struct siprec_session {
	char *id;
	char *sip_session_id;  /**< RFC 7989, "local;remote=..." */
	char *group;
};

struct siprec_participant {
	char *id;
	char *aor;
	char *name;
	enum { SIPREC_CALLING_UNKNOWN, SIPREC_CALLING_YES, SIPREC_CALLING_NO }
		calling;       /**< Its vendor's word (Oracle, Intrado) */
	bool gone;             /**< It has left the session */
	/** By siprec_settle(), and kept over updates */
	enum role role;
	const char *role_source;
};

struct siprec_stream {
	char *id;
	char *label;
	bool mixed;            /**< <mode>mixed</mode> */
};

/** participant sends (or receives) stream; both by id. */
struct siprec_link {
	char *participant, *stream;
	bool sends;
	bool gone;             /**< No longer; in a partial update */
};

struct siprec_extension {
	char *name;            /**< Local name of the element */
	char *value;
};

struct siprec {
	bool partial;          /**< <datamode>partial</datamode> */
	bool had_caller;       /**< Somebody was settled as the caller ... */
	char *caller;          /**< ... by order, who has this id; NULL: nobody,
				    or without one */
	char *recording;       /**< Id; "" */
	struct siprec_session sessions[SIPREC_SESSIONS_MAX];
	size_t n_sessions;
	struct siprec_participant participants[SIPREC_PARTICIPANTS_MAX];
	size_t n_participants;
	struct siprec_stream streams[SIPREC_STREAMS_MAX];
	size_t n_streams;
	struct siprec_link links[SIPREC_LINKS_MAX];
	size_t n_links;
	struct siprec_extension extensions[SIPREC_EXTENSIONS_MAX];
	size_t n_extensions;
};

/**
 * @return 0, -EBADMSG (no such XML, a DTD, another root), -EMSGSIZE (a limit)
 *         or -ENOMEM
 */
int siprec_parse(struct siprec **out, const char *xml, size_t len);
void siprec_free(struct siprec *m);

/**
 * What is known after `news`, which is consumed: all of it when it is complete;
 * when it is partial, what it names is replaced or added.  Settled roles are
 * kept by participant.
 *
 * @param known NULL in it: nothing was known
 */
void siprec_update(struct siprec **known, struct siprec *news);

/** What the operator knows of the parties.  Lists are NULL-ended, or NULL. */
struct siprec_rules {
	/** Patterns with * and ? for whole addresses of record without their
	 * scheme: "2???@*". */
	const char *const *caller, *const *agent;
	/** Own domains ("pbx.example.com", its subdomains too) and prefixes of
	 * own numbers ("+4930"): their parties are agents. */
	const char *const *internal;
	/** The order of parties or labels is the other way round. */
	bool swap;
};

/**
 * Who is the caller?  By the first of these that can tell (telephony section
 * 1.4.3): "operator" (rules), "calling_party" (Oracle's flag), "call_data"
 * (original From and To in extension data), "internal", "participants" (the
 * first to be named, ever, calls).
 */
void siprec_settle(struct siprec *m, const struct siprec_rules *rules);

struct siprec_line {
	enum role role;
	const char *source;    /**< As above; "mixed", or "labels": a_leg and
				    the like, else the m-lines' order */
	/** Who sends on it; NULL: not known, or several. */
	const struct siprec_participant *who;
};

/**
 * The parties on each m-line, of settled metadata.
 *
 * @param m NULL: there is no metadata
 * @param labels Of all m-lines in use, ""
 * @param out One for each of them
 */
void siprec_lines(struct siprec_line *out, const char *const *labels, size_t n,
		  const struct siprec *m, const struct siprec_rules *rules);

/** The stream of an m-line, or NULL. */
const struct siprec_stream *siprec_stream(const struct siprec *m,
					  const char *label);
/** Does it send this stream, now? */
bool siprec_sends(const struct siprec *m, const struct siprec_participant *p,
		  const struct siprec_stream *s);
/** By local name without case: the first, or NULL. */
const char *siprec_extension(const struct siprec *m, const char *name);
