/** @file tap_tcp.h  SIP over TCP in a tap's packets */
#pragma once

#include "daemon/ingress/tap_calls.h"

struct tap_tcp;

int tap_tcp_new(struct tap_tcp **out);
void tap_tcp_free(struct tap_tcp *x);

/** One TCP segment: its whole messages go to tap_sip(). */
void tap_tcp_packet(struct tap *t, const struct decap_packet *p,
		    uint64_t at_us);
/** No more segments will come: what waits for missing ones is read now. */
void tap_tcp_end(struct tap *t);
