/** @file sip_link.h  SIP's TCP and TLS connections; for sip_sockets.c */
#pragma once

#include "daemon/ingress/sip_sockets.h"
#include "daemon/net/tls.h"

struct sip_links;

int sip_links_new(struct sip_links **out, const struct sip_sockets_config *cfg);
/** All connections. */
void sip_links_free(struct sip_links *l);

/**
 * A listener has one.
 *
 * @param at Where it listens
 * @param tls NULL: TCP
 */
void sip_links_accept(struct sip_links *l, uv_stream_t *from,
		      const struct addr *at, const struct tls_context *tls);
int sip_links_send(struct sip_links *l, const struct sip_peer *p,
		   const struct addr *to, const void *data, size_t len);
unsigned sip_links_count(const struct sip_links *l);
uint64_t sip_links_refused(const struct sip_links *l);
