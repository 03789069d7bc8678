/**
 * @file tls.h  TLS, bytes in and bytes out; another library can stand behind
 *
 * A session never touches a socket: the owner feeds what came from the network
 * and sends what comes out.  The handshake is a series of steps, each a pure
 * function of the bytes so far; whoever owns the session runs each step as one
 * job of the thread pool (net/websocket.c does) and nobody ever waits in one.
 *
 * Rules that hold for every client session (reference: mbedTLS 2.28's known
 * holes): the host name is always set, so a certificate for another host never
 * passes; chain, validity and a subjectAltName are required (a name in the CN
 * alone is refused, and with 2.28, which cannot compare them, an address);
 * TLS 1.2 at least, 1.3 where the library has it; ECDHE with an AEAD cipher
 * only, no renegotiation; ALPN "http/1.1".  There is no way to switch
 * verification off.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/buf.h"
#include "daemon/base/reason.h"

struct tls_context; /**< Trust and keys, shared by sessions; read-only */
struct tls_session;

/**
 * A client's trust.
 *
 * @param ca_file PEM; NULL: the system's CA bundle
 * @param why On error: which file, what is wrong, what to do
 *
 * @return 0 or -errno
 */
int tls_client_context(struct tls_context **out, const char *ca_file,
		       struct reason *why);
/**
 * The peer's key, besides everything else that is checked: before any session
 * is made.
 *
 * @param sha256_hex SHA-256 of its SubjectPublicKeyInfo (DER), 64 hex digits
 *
 * @return 0 or -EINVAL
 */
int tls_context_pin(struct tls_context *c, const char *sha256_hex);
/** A server's certificate chain and key, PEM files. */
int tls_server_context(struct tls_context **out, const char *cert_file,
		       const char *key_file, struct reason *why);
void tls_context_free(struct tls_context *c);

/**
 * @param host Client: the name the certificate must be for; never NULL or
 *             empty there (-EINVAL).  Server: NULL.
 *
 * @return 0 or -errno
 */
int tls_session_new(struct tls_session **out, const struct tls_context *c,
		    const char *host);
void tls_session_free(struct tls_session *s);

/** Bytes from the network.  @return 0 or -ENOMEM */
int tls_feed(struct tls_session *s, const uint8_t *data, size_t len);

/**
 * One step of the handshake over what was fed; what must be sent is appended
 * to `out`.  May be run in another thread, but nothing else may touch the
 * session meanwhile.
 *
 * @return 1 (done), 0 (needs more bytes) or -errno with `why`
 */
int tls_handshake(struct tls_session *s, struct buf *out, struct reason *why);

/** Append what goes to the network for `len` bytes of ours.  0 or -errno */
int tls_write(struct tls_session *s, const uint8_t *data, size_t len,
	      struct buf *out);

/**
 * Decrypt what was fed, appending to `plain`.
 *
 * @return 0, 1 (the peer closed TLS) or -errno
 */
int tls_read(struct tls_session *s, struct buf *plain, struct buf *out);

/** Append a close_notify. */
void tls_goodbye(struct tls_session *s, struct buf *out);

/** What was agreed, for --probe and status; strings live as the session. */
struct tls_facts {
	const char *version;
	const char *cipher;
	bool resumed;
	uint64_t not_after_s; /**< Peer's certificate, Unix time [s]; 0: none */
};
void tls_facts(const struct tls_session *s, struct tls_facts *out);
