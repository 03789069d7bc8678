/** @file tls.c  TLS by mbedTLS (2.28 and 3.6), bytes in and bytes out */
#include "daemon/net/tls.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/must.h"
#include "daemon/net/random.h"
#include "daemon/net/tls_impl.h"

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif

#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

enum { RECORD = 16 * 1024, TICKET_S = 3600 };

/* ECDHE and an AEAD only.  ChaCha20 first: in Debian's 2.28 a record takes two
 * thirds of the time that AES-GCM needs. */
static const int ciphers[] = {
#if defined(MBEDTLS_SSL_PROTO_TLS1_3)
	MBEDTLS_TLS1_3_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS1_3_AES_128_GCM_SHA256,
	MBEDTLS_TLS1_3_AES_256_GCM_SHA384,
#endif
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	MBEDTLS_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	0,
};

/* The third only for servers whose certificate has such a key. */
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
static const uint16_t groups[] = {
	MBEDTLS_SSL_IANA_TLS_GROUP_X25519,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_SECP384R1,
	MBEDTLS_SSL_IANA_TLS_GROUP_NONE,
};
#else
static const mbedtls_ecp_group_id groups[] = {
	MBEDTLS_ECP_DP_CURVE25519,
	MBEDTLS_ECP_DP_SECP256R1,
	MBEDTLS_ECP_DP_SECP384R1,
	MBEDTLS_ECP_DP_NONE,
};
#endif

static const char *alpn[] = { "http/1.1", NULL };

static int random_fn(void *arg, unsigned char *out, size_t len)
{
	(void)arg;
	random_bytes(out, len);
	return 0;
}

/* -- contexts ------------------------------------------------------------- */

static void free_context(struct tls_context *c)
{
	mbedtls_ssl_config_free(&c->conf);
	mbedtls_x509_crt_free(&c->chain);
	mbedtls_pk_free(&c->key);
	mbedtls_ssl_ticket_free(&c->ticket);
	tls_store_free(c->store);
	free(c->users);
	free(c);
}

static void leave(const struct tls_context *c)
{
	if (atomic_fetch_sub(c->users, 1) == 1)
		free_context((struct tls_context *)c);
}

void tls_context_free(struct tls_context *c)
{
	if (c)
		leave(c);
}

static int configure(struct tls_context *c)
{
	if (mbedtls_ssl_config_defaults(&c->conf,
					c->server ? MBEDTLS_SSL_IS_SERVER
						  : MBEDTLS_SSL_IS_CLIENT,
					MBEDTLS_SSL_TRANSPORT_STREAM,
					MBEDTLS_SSL_PRESET_DEFAULT))
		return -ENOMEM;
	mbedtls_ssl_conf_rng(&c->conf, random_fn, NULL);
	mbedtls_ssl_conf_ciphersuites(&c->conf, ciphers);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	mbedtls_ssl_conf_min_tls_version(&c->conf, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_groups(&c->conf, groups);
#else
	mbedtls_ssl_conf_min_version(&c->conf, MBEDTLS_SSL_MAJOR_VERSION_3,
				     MBEDTLS_SSL_MINOR_VERSION_3);
	mbedtls_ssl_conf_curves(&c->conf, groups);
#endif
#if defined(MBEDTLS_SSL_RENEGOTIATION)
	mbedtls_ssl_conf_renegotiation(&c->conf,
				       MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
	mbedtls_ssl_conf_authmode(&c->conf, c->server
						    ? MBEDTLS_SSL_VERIFY_NONE
						    : MBEDTLS_SSL_VERIFY_REQUIRED);
	return mbedtls_ssl_conf_alpn_protocols(&c->conf, alpn) ? -ENOMEM : 0;
}

static int new_context(struct tls_context **out, bool server)
{
	struct tls_context *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	if (psa_crypto_init() != PSA_SUCCESS) {
		free(c);
		return -ENOMEM;
	}
#endif
	mbedtls_ssl_config_init(&c->conf);
	mbedtls_x509_crt_init(&c->chain);
	mbedtls_pk_init(&c->key);
	mbedtls_ssl_ticket_init(&c->ticket);
	c->server = server;
	c->users = malloc(sizeof(*c->users));
	if (!c->users || tls_store_new(&c->store) || configure(c)) {
		free_context(c);
		return -ENOMEM;
	}
	atomic_init(c->users, 1);
	*out = c;
	return 0;
}

static int refuse(struct tls_context *c, int err, const char *what,
		  const char *file, struct reason *why)
{
	char text[80] = "it holds no certificate";

	if (err)
		mbedtls_strerror(err, text, sizeof(text));
	reason_set(why, REASON_TLS, 0, "%s %.80s: %s", what, file, text);
	tls_context_free(c);
	return -EINVAL;
}

int tls_client_context(struct tls_context **out, const char *ca_file,
		       struct reason *why)
{
	const char *file = ca_file ? ca_file : SYSTEM_CA;
	struct tls_context *c;
	int err = new_context(&c, false);

	if (err) {
		reason_set(why, REASON_TLS, 0, "out of memory for TLS");
		return err;
	}
	/* > 0: so many could not be read; a bundle may hold odd ones */
	err = mbedtls_x509_crt_parse_file(&c->chain, file);
	if (err < 0 || (err > 0 && ca_file) || !c->chain.raw.p)
		return refuse(c, err < 0 ? err : 0,
			      ca_file ? "tls-ca-file"
				      : "CA bundle (package ca-certificates)",
			      file, why);
	mbedtls_ssl_conf_ca_chain(&c->conf, &c->chain, NULL);
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
	mbedtls_ssl_conf_session_tickets(&c->conf,
					 MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
#endif
	*out = c;
	return 0;
}

static int parse_key(struct tls_context *c, const char *file)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	return mbedtls_pk_parse_keyfile(&c->key, file, NULL, random_fn,
					NULL);
#else
	return mbedtls_pk_parse_keyfile(&c->key, file, NULL);
#endif
}

int tls_server_context(struct tls_context **out, const char *cert_file,
		       const char *key_file, struct reason *why)
{
	struct tls_context *c;
	int err = new_context(&c, true);

	if (err) {
		reason_set(why, REASON_TLS, 0, "out of memory for TLS");
		return err;
	}
	err = mbedtls_x509_crt_parse_file(&c->chain, cert_file);
	if (err || !c->chain.raw.p)
		return refuse(c, err < 0 ? err : 0, "certificate", cert_file,
			      why);
	err = parse_key(c, key_file);
	if (err)
		return refuse(c, err, "key", key_file, why);
	err = mbedtls_ssl_conf_own_cert(&c->conf, &c->chain, &c->key);
	if (!err)
		err = mbedtls_ssl_ticket_setup(&c->ticket, random_fn, NULL,
					       MBEDTLS_CIPHER_AES_256_GCM,
					       TICKET_S);
	if (err)
		return refuse(c, err, "certificate", cert_file, why);
	mbedtls_ssl_conf_session_tickets_cb(&c->conf, mbedtls_ssl_ticket_write,
					    mbedtls_ssl_ticket_parse,
					    &c->ticket);
	*out = c;
	return 0;
}

/* -- sessions ------------------------------------------------------------- */

static int bio_send(void *arg, const unsigned char *data, size_t len)
{
	struct tls_session *s = arg;

	if (!s->out)
		return MBEDTLS_ERR_SSL_WANT_WRITE;
	buf_add(s->out, data, len);
	return s->out->err ? MBEDTLS_ERR_SSL_ALLOC_FAILED : (int)len;
}

static int bio_recv(void *arg, unsigned char *out, size_t len)
{
	struct tls_session *s = arg;
	size_t n = s->in.len - s->in_at;

	if (n == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	if (n > len)
		n = len;
	memcpy(out, s->in.data + s->in_at, n);
	s->in_at += n;
	if (s->in_at == s->in.len)
		s->in.len = s->in_at = 0;
	return (int)n;
}

static int setup_client(struct tls_session *s, const char *host)
{
	size_t len = strlen(host);

	if (len && host[len - 1] == '.')
		len--; /* a fully qualified name; certificates do not say so */
	if (len == 0 || len >= sizeof(s->host))
		return -EINVAL;
	memcpy(s->host, host, len);
	mbedtls_ssl_set_verify(&s->ssl, tls_verify, s);
	if (mbedtls_ssl_set_hostname(&s->ssl, s->host))
		return -ENOMEM;
	tls_resume_offer(s);
	return 0;
}

int tls_session_new(struct tls_session **out, const struct tls_context *c,
		    const char *host)
{
	struct tls_session *s;
	int err;

	if (!c->server && (!host || !*host))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	atomic_fetch_add(c->users, 1);
	s->context = c;
	mbedtls_ssl_init(&s->ssl);
	err = mbedtls_ssl_setup(&s->ssl, &c->conf) ? -ENOMEM : 0;
	if (!err && !c->server)
		err = setup_client(s, host);
	if (err) {
		tls_session_free(s);
		return err;
	}
	mbedtls_ssl_set_bio(&s->ssl, s, bio_send, bio_recv, NULL);
	*out = s;
	return 0;
}

void tls_session_free(struct tls_session *s)
{
	if (!s)
		return;
	mbedtls_ssl_free(&s->ssl);
	buf_free(&s->in);
	leave(s->context);
	free(s);
}

int tls_feed(struct tls_session *s, const uint8_t *data, size_t len)
{
	if (s->in_at && len) {
		buf_shift(&s->in, s->in_at);
		s->in_at = 0;
	}
	buf_add(&s->in, data, len);
	return s->in.err;
}

/* What mbedTLS checked, checked again: its older versions had holes here. */
static int accept_peer(struct tls_session *s, struct reason *why)
{
	const mbedtls_x509_crt *cert = mbedtls_ssl_get_peer_cert(&s->ssl);

	if (s->context->server)
		return 1;
	must(*s->host);
	if (mbedtls_ssl_get_verify_result(&s->ssl) != 0 || !cert ||
	    !cert->subject_alt_names.buf.p || !s->not_after_s) {
		s->no_san = cert && !cert->subject_alt_names.buf.p;
		tls_explain(s, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, why);
		tls_resume_drop(s);
		return -EACCES;
	}
	tls_resume_save(s);
	return 1;
}

int tls_handshake(struct tls_session *s, struct buf *out, struct reason *why)
{
	int err;

	s->out = out;
	err = mbedtls_ssl_handshake(&s->ssl);
	s->out = NULL;
	if (err == MBEDTLS_ERR_SSL_WANT_READ)
		return 0;
	if (err == 0)
		return accept_peer(s, why);
	tls_explain(s, err, why);
	if (s->offered)
		tls_resume_drop(s);
	return err == MBEDTLS_ERR_SSL_ALLOC_FAILED ? -ENOMEM : -EPROTO;
}

int tls_write(struct tls_session *s, const uint8_t *data, size_t len,
	      struct buf *out)
{
	int n = 0;

	s->out = out;
	for (; len && n >= 0; data += n, len -= (size_t)n) {
		n = mbedtls_ssl_write(&s->ssl, data, len);
		if (n < 0)
			break;
	}
	s->out = NULL;
	if (n >= 0)
		return 0;
	return n == MBEDTLS_ERR_SSL_ALLOC_FAILED ? -ENOMEM : -EPIPE;
}

/* Does reading go on after this? */
static bool harmless(int n)
{
#if defined(MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
	if (n == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET)
		return true;
#endif
	return n > 0;
}

int tls_read(struct tls_session *s, struct buf *plain, struct buf *out)
{
	int n;

	s->out = out;
	do {
		uint8_t *to = buf_room(plain, RECORD);

		n = to ? mbedtls_ssl_read(&s->ssl, to, RECORD)
		       : MBEDTLS_ERR_SSL_ALLOC_FAILED;
		if (n > 0) {
			plain->len += (size_t)n;
			plain->data[plain->len] = 0;
		}
	} while (harmless(n));
	s->out = NULL;
	switch (n) {
	case MBEDTLS_ERR_SSL_WANT_READ:
		return 0;
	case 0:
	case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
		return 1;
	case MBEDTLS_ERR_SSL_ALLOC_FAILED:
		return -ENOMEM;
	}
	return -EBADMSG;
}

void tls_goodbye(struct tls_session *s, struct buf *out)
{
	s->out = out;
	mbedtls_ssl_close_notify(&s->ssl);
	s->out = NULL;
}

void tls_facts(const struct tls_session *s, struct tls_facts *out)
{
	*out = (struct tls_facts){
		.version = mbedtls_ssl_get_version(&s->ssl),
		.cipher = mbedtls_ssl_get_ciphersuite(&s->ssl),
		.resumed = s->offered && !s->chain_checked,
		.not_after_s = s->not_after_s,
	};
}
