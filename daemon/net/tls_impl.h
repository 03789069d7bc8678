/** @file tls_impl.h  Shared by net/tls*.c only */
#pragma once

#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/version.h>
#include <stdatomic.h>
#include <uv.h>

#include "daemon/base/buf.h"
#include "daemon/base/list.h"
#include "daemon/net/tls.h"

/* TLS 1.3 where the library has it, and says so when a ticket comes. */
#if MBEDTLS_VERSION_NUMBER >= 0x03060100 && \
	defined(MBEDTLS_SSL_PROTO_TLS1_3) && defined(MBEDTLS_SSL_SESSION_TICKETS)
#define TLS_HAS_13
#define TLS_NEWEST MBEDTLS_SSL_VERSION_TLS1_3
#else
#define TLS_NEWEST MBEDTLS_SSL_VERSION_TLS1_2
#endif

/* Sessions to resume, one a host.  Handshakes run in several threads. */
struct tls_store {
	uv_mutex_t lock;
	struct list saved;
	unsigned n;
	atomic_bool only_12;    /* offer no 1.3: see step_back() */
};

struct tls_context {
	/* it and its sessions: a step may still run in the pool when the owner
	 * frees it */
	atomic_uint *users;
	bool server;
	bool pinned;
	uint8_t pin[32];        /* SHA-256 of the peer's SPKI */
	mbedtls_ssl_config conf;
#if defined(TLS_HAS_13)
	mbedtls_ssl_config conf_12;
#endif
	mbedtls_x509_crt chain; /* client: trusted; server: its own */
	mbedtls_pk_context key;
	mbedtls_ssl_ticket_context ticket;
	struct tls_store *store;
};

struct tls_session {
	const struct tls_context *context;
	mbedtls_ssl_context ssl;
	char host[254];      /* client: name to verify; "" in a server */
	struct buf in;       /* fed, not yet read by mbedTLS */
	size_t in_at;
	struct buf *out;     /* of the call that runs */
	bool offered;        /* a saved session was offered */
	bool chain_checked;  /* a full handshake */
	bool no_san;
	bool wants_address;  /* which this library cannot compare */
	bool wrong_key;      /* not the pinned one */
	uint64_t not_after_s;
};

/* tls_context.c */
/** The rules for a new session. */
const mbedtls_ssl_config *tls_config(const struct tls_context *c);
/** One user less; the last one frees. */
void tls_context_leave(const struct tls_context *c);

/* tls_verify.c */
/** mbedTLS's callback for each certificate of the peer's chain. */
int tls_verify(void *session, mbedtls_x509_crt *cert, int depth,
	       uint32_t *flags);
/** Is it the pinned key, or is none pinned? */
bool tls_pin_holds(const struct tls_context *c, const mbedtls_x509_crt *cert);
/** Words for a failed handshake. */
void tls_explain(const struct tls_session *s, int err, struct reason *why);

/* tls_resume.c */
int tls_store_new(struct tls_store **out);
void tls_store_free(struct tls_store *st);
/** Offer what is saved for the session's host, if anything. */
void tls_resume_offer(struct tls_session *s);
void tls_resume_save(struct tls_session *s);
void tls_resume_drop(struct tls_session *s);
