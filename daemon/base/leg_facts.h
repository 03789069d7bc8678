/** @file leg_facts.h  What is known of a leg when its asr is chosen */
#pragma once

#include <stddef.h>

#include "daemon/base/addr.h"
#include "daemon/base/event.h"
#include "daemon/base/role.h"

/** Strings are never NULL, "" where nothing is known. */
struct leg_facts {
	const char *source;      /**< As in call.start: "sip" ... */
	const char *calling, *called;
	const char *language;    /**< Tag (RFC 5646) that the caller announced */
	enum role role;
	struct addr trunk;       /**< Who sent the call; family 0: not known */
	const struct event_id *ids;
	size_t n_ids;            /**< Headers taken along are among them */
};
