/** @file tls_context.c  Trust, keys and rules of TLS, shared by sessions */
#include "daemon/net/tls.h"

#include <errno.h>
#include <mbedtls/error.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/net/random.h"
#include "daemon/net/tls_impl.h"

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif

#define SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"

enum { TICKET_S = 3600 };

/* ECDHE and an AEAD only.  ChaCha20 first: in Debian's 2.28 a record takes two
 * thirds of the time that AES-GCM needs. */
static const int ciphers[] = {
#if defined(TLS_HAS_13)
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

/* Those of 1.2 first: when both versions are offered, a server of 1.2 may take
 * PSS, which the library knows in 1.3 only. */
static const uint16_t signatures[] = {
	MBEDTLS_TLS1_3_SIG_ECDSA_SECP256R1_SHA256,
	MBEDTLS_TLS1_3_SIG_ECDSA_SECP384R1_SHA384,
	MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA256,
	MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA384,
	MBEDTLS_TLS1_3_SIG_RSA_PKCS1_SHA512,
	MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA256,
	MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA384,
	MBEDTLS_TLS1_3_SIG_RSA_PSS_RSAE_SHA512,
	MBEDTLS_TLS1_3_SIG_NONE,
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
/* A caller over TLS may name its protocol, too (IANA's list) */
static const char *alpn_server[] = { "http/1.1", "sip/2", NULL };

static int random_fn(void *arg, unsigned char *out, size_t len)
{
	(void)arg;
	random_bytes(out, len);
	return 0;
}

static void free_context(struct tls_context *c)
{
	mbedtls_ssl_config_free(&c->conf);
#if defined(TLS_HAS_13)
	mbedtls_ssl_config_free(&c->conf_12);
#endif
	mbedtls_x509_crt_free(&c->chain);
	mbedtls_pk_free(&c->key);
	mbedtls_ssl_ticket_free(&c->ticket);
	tls_store_free(c->store);
	free(c->users);
	free(c);
}

void tls_context_leave(const struct tls_context *c)
{
	if (atomic_fetch_sub(c->users, 1) == 1)
		free_context((struct tls_context *)c);
}

void tls_context_free(struct tls_context *c)
{
	if (c)
		tls_context_leave(c);
}

static int configure(struct tls_context *c, mbedtls_ssl_config *conf, bool newest)
{
	if (mbedtls_ssl_config_defaults(conf,
					c->server ? MBEDTLS_SSL_IS_SERVER
						  : MBEDTLS_SSL_IS_CLIENT,
					MBEDTLS_SSL_TRANSPORT_STREAM,
					MBEDTLS_SSL_PRESET_DEFAULT))
		return -ENOMEM;
	mbedtls_ssl_conf_rng(conf, random_fn, NULL);
	mbedtls_ssl_conf_ciphersuites(conf, ciphers);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	mbedtls_ssl_conf_min_tls_version(conf, MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_max_tls_version(conf, newest
						       ? TLS_NEWEST
						       : MBEDTLS_SSL_VERSION_TLS1_2);
	mbedtls_ssl_conf_groups(conf, groups);
	mbedtls_ssl_conf_sig_algs(conf, signatures);
#else
	(void)newest;
	mbedtls_ssl_conf_min_version(conf, MBEDTLS_SSL_MAJOR_VERSION_3,
				     MBEDTLS_SSL_MINOR_VERSION_3);
	mbedtls_ssl_conf_curves(conf, groups);
#endif
#if defined(TLS_HAS_13)
	if (!c->server)
		mbedtls_ssl_conf_tls13_enable_signal_new_session_tickets(
			conf,
			MBEDTLS_SSL_TLS1_3_SIGNAL_NEW_SESSION_TICKETS_ENABLED);
#endif
#if defined(MBEDTLS_SSL_RENEGOTIATION)
	mbedtls_ssl_conf_renegotiation(conf,
				       MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
	mbedtls_ssl_conf_authmode(conf, c->server ? MBEDTLS_SSL_VERIFY_NONE
						  : MBEDTLS_SSL_VERIFY_REQUIRED);
	return mbedtls_ssl_conf_alpn_protocols(conf, c->server ? alpn_server
							       : alpn)
		       ? -ENOMEM : 0;
}

/* A server's tickets of 1.3 would need more than ours has. */
static int configure_all(struct tls_context *c)
{
	int err = configure(c, &c->conf, !c->server);

#if defined(TLS_HAS_13)
	if (!err)
		err = configure(c, &c->conf_12, false);
#endif
	return err;
}

static void trust(struct tls_context *c, mbedtls_ssl_config *conf)
{
	mbedtls_ssl_conf_ca_chain(conf, &c->chain, NULL);
#if defined(MBEDTLS_SSL_SESSION_TICKETS)
	mbedtls_ssl_conf_session_tickets(conf,
					 MBEDTLS_SSL_SESSION_TICKETS_ENABLED);
#endif
}

const mbedtls_ssl_config *tls_config(const struct tls_context *c)
{
#if defined(TLS_HAS_13)
	if (atomic_load(&c->store->only_12))
		return &c->conf_12;
#endif
	return &c->conf;
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
#if defined(TLS_HAS_13)
	mbedtls_ssl_config_init(&c->conf_12);
#endif
	mbedtls_x509_crt_init(&c->chain);
	mbedtls_pk_init(&c->key);
	mbedtls_ssl_ticket_init(&c->ticket);
	c->server = server;
	c->users = malloc(sizeof(*c->users));
	if (!c->users || tls_store_new(&c->store) || configure_all(c)) {
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
	reason_set(why, REASON_TLS, 0,
		   "%s %.80s: %s; check the path and that it is PEM", what,
		   file, text);
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
	trust(c, &c->conf);
#if defined(TLS_HAS_13)
	trust(c, &c->conf_12);
#endif
	*out = c;
	return 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int tls_context_pin(struct tls_context *c, const char *sha256_hex)
{
	uint8_t pin[sizeof(c->pin)];

	if (strlen(sha256_hex) != 2 * sizeof(pin))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(pin); i++) {
		const int high = digit(sha256_hex[2 * i]);
		const int low = digit(sha256_hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		pin[i] = (uint8_t)(high << 4 | low);
	}
	memcpy(c->pin, pin, sizeof(pin));
	c->pinned = true;
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
