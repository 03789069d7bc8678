/**
 * @file recording.h  A recorded call as its recording client tells it
 *
 * Between the metadata (sig/siprec.h) and the events: which role and why for
 * each m-line, what goes into call.start, and what of it has changed since.
 * For live calls and the tap alike.  Pure.
 *
 *   recording_take(), recording_line_set()   as messages come
 *   recording_settle()                       then, once for each message
 *   recording_start()                        at call.start
 *   recording_tell()                         later: call.update, leg.update
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "daemon/call/call.h"
#include "daemon/cfg/config.h"
#include "daemon/sig/sdp.h"
#include "daemon/sig/siprec.h"

struct recording;

enum { RECORDING_IDS_MAX = 24 };

/** Borrowed; lists are NULL-ended. */
struct recording_config {
	struct siprec_rules rules;
	/** Extension elements whose values go into `ids`, by local name; NULL
	 * or none: the usual ones. */
	const char *const *extensions;
};

/** One m-line. */
struct recording_line {
	bool used;             /**< Accepted, audio */
	char label[SDP_LABEL];
	enum role role;
	const char *role_source;
};

/** What the section siprec says; NULL: nothing. */
void recording_configure(struct recording_config *out, const struct config *c);

/** @param cfg NULL: no rules, the usual extensions.  @return 0 or -ENOMEM */
int recording_new(struct recording **out, const struct recording_config *cfg);
void recording_free(struct recording *r);

/**
 * Metadata that came.
 *
 * @return 0 or as siprec_parse(): then all is as before
 */
int recording_take(struct recording *r, const char *xml, size_t len);
/** The same from CUBE's headers, struct sip_message's `recorded`: its parties
 * are on the m-lines of their media-index. */
int recording_take_headers(struct recording *r, const char *recorded);
void recording_line_set(struct recording *r, unsigned line, bool used,
			const char *label);
/** Who is who, with all that came. */
void recording_settle(struct recording *r);

const struct recording_line *recording_line(const struct recording *r,
					    unsigned line);

/** What call.start and call.update say; strings until the next
 * recording_take(). */
struct recording_identity {
	struct event_id ids[RECORDING_IDS_MAX];
	size_t n_ids;
	struct event_participant participants[SIPREC_PARTICIPANTS_MAX];
	size_t n_participants; /**< Those still there */
	/** Addresses of record of the caller and the (first) agent without
	 * their sip:, for routes; NULL: not known. */
	const char *calling, *called;
};

/** As it is now, which is thereby told. */
void recording_start(struct recording *r, struct recording_identity *out);

/**
 * Publish what is other than told before: call.update, and for each line
 *
 * @param line Called for m-lines whose role, role_source or label (NULL: as
 *             before) has changed; leg_update() it, if there is a leg
 */
void recording_tell(struct recording *r, struct call *c,
		    void (*line)(unsigned i, const struct recording_line *l,
				 const char *label, void *arg),
		    void *arg);
