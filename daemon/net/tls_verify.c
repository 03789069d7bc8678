/** @file tls_verify.c  What a peer's certificate must be, and words when not */
#include <mbedtls/error.h>
#include <mbedtls/sha256.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "daemon/base/addr.h"
#include "daemon/net/tls_impl.h"

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
/* Tag of an iPAddress in a subjectAltName (RFC 5280 section 4.2.1.6) */
enum { SAN_IP = MBEDTLS_ASN1_CONTEXT_SPECIFIC | MBEDTLS_X509_SAN_IP_ADDRESS };

static bool names_address(const mbedtls_x509_crt *cert, const struct addr *ip)
{
	const size_t len = ip->family == 4 ? 4 : 16;

	for (const mbedtls_x509_sequence *n = &cert->subject_alt_names; n;
	     n = n->next)
		if (n->buf.tag == SAN_IP && n->buf.len == len &&
		    !memcmp(n->buf.p, ip->ip, len))
			return true;
	return false;
}
#endif

/* An address is wanted.  2.28 cannot compare them, so none is taken; 3.6 can,
 * and would take one written as a DNS name, too. */
static void check_address(struct tls_session *s, const mbedtls_x509_crt *cert,
			  const struct addr *ip, uint32_t *flags)
{
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	(void)s;
	if (!names_address(cert, ip))
		*flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
#else
	(void)cert;
	(void)ip;
	s->wants_address = true;
	*flags |= MBEDTLS_X509_BADCERT_OTHER;
#endif
}

static uint64_t unix_time(const mbedtls_x509_time *t)
{
	struct tm tm = { .tm_year = t->year - 1900, .tm_mon = t->mon - 1,
			 .tm_mday = t->day, .tm_hour = t->hour,
			 .tm_min = t->min, .tm_sec = t->sec };
	const time_t s = timegm(&tm);

	return s > 0 ? (uint64_t)s : 0;
}

int tls_verify(void *session, mbedtls_x509_crt *cert, int depth,
	       uint32_t *flags)
{
	struct tls_session *s = session;
	struct addr ip;

	if (depth != 0)
		return 0;
	s->chain_checked = true;
	s->not_after_s = unix_time(&cert->valid_to);
	if (!cert->subject_alt_names.buf.p) {
		/* a name in the CN alone proves nothing (RFC 9525) */
		s->no_san = true;
		*flags |= MBEDTLS_X509_BADCERT_OTHER;
	}
	if (!addr_parse(&ip, s->host, strlen(s->host)))
		check_address(s, cert, &ip, flags);
	return 0;
}

bool tls_pin_holds(const struct tls_context *c, const mbedtls_x509_crt *cert)
{
	uint8_t sum[32];

	if (!c->pinned)
		return true;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	if (mbedtls_sha256(cert->pk_raw.p, cert->pk_raw.len, sum, 0))
		return false;
#else
	if (mbedtls_sha256_ret(cert->pk_raw.p, cert->pk_raw.len, sum, 0))
		return false;
#endif
	return !memcmp(sum, c->pin, sizeof(sum)); /* no secret: any time */
}

/* mbedTLS's verify result before there is one */
#define NOT_CHECKED 0xffffffffu
#define ABOUT_THE_NAME \
	(MBEDTLS_X509_BADCERT_CN_MISMATCH | MBEDTLS_X509_BADCERT_OTHER)

/* -- words ---------------------------------------------------------------- */

static const struct {
	uint32_t flag;
	const char *words;
} verdicts[] = {
	{ MBEDTLS_X509_BADCERT_EXPIRED,
	  "it, or one above it, has expired: renew it, or set this clock" },
	{ MBEDTLS_X509_BADCERT_FUTURE, "it is not yet valid: set this clock" },
	{ MBEDTLS_X509_BADCERT_REVOKED, "it was revoked" },
	{ MBEDTLS_X509_BADCERT_BAD_MD,
	  "it is signed with a hash that is broken (SHA-1)" },
	{ MBEDTLS_X509_BADCERT_BAD_PK, "its kind of key is not accepted" },
	{ MBEDTLS_X509_BADCERT_BAD_KEY,
	  "its key is too short (RSA needs 2048 bits)" },
	{ MBEDTLS_X509_BADCERT_EXT_KEY_USAGE,
	  "it is not for servers (extended key usage)" },
	{ MBEDTLS_X509_BADCERT_KEY_USAGE, "its key usage forbids this" },
	{ MBEDTLS_X509_BADCERT_NS_CERT_TYPE, "its type forbids this" },
	{ MBEDTLS_X509_BADCERT_NOT_TRUSTED,
	  "no trusted CA stands behind it: name its CA in tls-ca-file, or "
	  "have the service send its intermediates" },
	{ MBEDTLS_X509_BADCERT_CN_MISMATCH,
	  "it is for another name: check url or tls-server-name" },
};

static void explain_certificate(const struct tls_session *s, uint32_t flags,
				struct reason *why)
{
	const char *words = "it does not pass the checks";

	/* no SAN: then the name cannot match either; this tells more */
	if (s->wrong_key && !flags) {
		words = "its key is not the one in tls-pin-sha256: a new "
			"certificate, or somebody in between";
	} else if (s->no_san) {
		words = "it names its host in the CN only: it needs a "
			"subjectAltName";
	} else if (s->wants_address && !(flags & ~(uint32_t)ABOUT_THE_NAME)) {
		words = "this build (mbedTLS 2.28) cannot compare addresses: "
			"set tls-server-name to a DNS name that is in it";
	} else {
		for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]);
		     i++)
			if (flags & verdicts[i].flag) {
				words = verdicts[i].words;
				break;
			}
	}
	reason_set(why, REASON_TLS, 0, "certificate of %.80s: %s", s->host,
		   words);
}

void tls_explain(const struct tls_session *s, int err, struct reason *why)
{
	const uint32_t flags = mbedtls_ssl_get_verify_result(&s->ssl);
	const char *words;
	char text[100];

	/* 2.28 has several errors for one bad certificate */
	if (err == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED ||
	    (flags && flags != NOT_CHECKED)) {
		explain_certificate(s, flags, why);
		return;
	}
	switch (err) {
	case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
		words = "the peer refused it; it may not know TLS 1.2 with an "
			"AEAD cipher, or this host name";
		break;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
#else
	case MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION:
#endif
		words = "the peer's TLS is too old, or too new for this build";
		break;
	case MBEDTLS_ERR_SSL_INVALID_RECORD:
	case MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE:
		words = "the peer does not speak TLS: check port, and whether "
			"url must say ws";
		break;
	case MBEDTLS_ERR_X509_INVALID_EXTENSIONS +
		MBEDTLS_ERR_ASN1_UNEXPECTED_TAG:
		words = "a certificate of its chain has an extension marked "
			"critical that is not understood (name constraints?)";
		break;
	case MBEDTLS_ERR_SSL_CONN_EOF:
	case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
		words = "the peer gave up";
		break;
	case MBEDTLS_ERR_SSL_ALLOC_FAILED:
		words = "out of memory";
		break;
	default:
		mbedtls_strerror(err, text, sizeof(text));
		words = text;
	}
	reason_set(why, REASON_TLS, 0, "TLS handshake failed: %s", words);
}
