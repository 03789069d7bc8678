/** @file tap_linked.h  Two calls of a tap with a party in common */
#pragma once

#include "daemon/ingress/tap_calls.h"

/** By SDP: an address is the called party of the one and the calling party of
 * the other; or it is an end of the one, which nobody announced. */
bool tap_are_linked(const struct tap_call *earlier, const struct tap_call *c);
/** ... or may yet be: a PBX that answers its caller last has not said so far
 * where it receives. */
bool tap_may_be_linked(const struct tap_call *earlier,
		       const struct tap_call *c);
