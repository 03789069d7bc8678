/** @file role.h  Which party speaks on a leg */
#pragma once

enum role { ROLE_UNKNOWN, ROLE_CALLER, ROLE_AGENT, ROLE_MIXED };

/** "unknown" "caller" "agent" "mixed" */
static inline const char *role_name(enum role r)
{
	static const char *const names[] = { "unknown", "caller", "agent",
					     "mixed" };

	return names[r];
}
