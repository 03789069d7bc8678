/** @file tls.c  TLS by mbedTLS (2.28 and 3.6), bytes in and bytes out */
#include "daemon/net/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/must.h"
#include "daemon/net/tls_impl.h"

enum { RECORD = 16 * 1024, STOPS_MAX = 4 };

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
	err = mbedtls_ssl_setup(&s->ssl, tls_config(c)) ? -ENOMEM : 0;
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
	tls_context_leave(s->context);
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

/* No error: a ticket of TLS 1.3 has come, and is kept for the next time. */
static bool is_ticket(struct tls_session *s, int err)
{
#if defined(TLS_HAS_13)
	if (err == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET) {
		tls_resume_save(s);
		return true;
	}
#else
	(void)s;
	(void)err;
#endif
	return false;
}

/* What mbedTLS checked, checked again: its older versions had holes here. */
static int accept_peer(struct tls_session *s, struct reason *why)
{
	const mbedtls_x509_crt *cert = mbedtls_ssl_get_peer_cert(&s->ssl);

	if (s->context->server)
		return 1;
	must(*s->host);
	s->wrong_key = cert && !tls_pin_holds(s->context, cert);
	if (mbedtls_ssl_get_verify_result(&s->ssl) != 0 || !cert ||
	    !cert->subject_alt_names.buf.p || !s->not_after_s || s->wrong_key) {
		s->no_san = cert && !cert->subject_alt_names.buf.p;
		tls_explain(s, MBEDTLS_ERR_X509_CERT_VERIFY_FAILED, why);
		tls_resume_drop(s);
		return -EACCES;
	}
#if defined(TLS_HAS_13)
	/* of 1.3 a ticket is kept, when it comes: tls_read() */
	if (mbedtls_ssl_get_version_number(&s->ssl) >=
	    MBEDTLS_SSL_VERSION_TLS1_3)
		return 1;
#endif
	tls_resume_save(s);
	return 1;
}

/* The last words of a handshake of 1.3 may be a ticket already. */
static int handshake_step(struct tls_session *s)
{
	int err;

	do
		err = mbedtls_ssl_handshake(&s->ssl);
	while (is_ticket(s, err));
	return err;
}

/*
 * A server of 1.2 may sign by PSS when 1.3 was offered besides, as RFC 8446
 * 4.2.3 has it; 3.6 knows that in 1.3 only.  The next try offers 1.2 alone; when
 * that fails, whatever for, the one behind it both again.
 */
static bool step_back(struct tls_session *s, int err, struct reason *why)
{
#if defined(TLS_HAS_13)
	atomic_bool *only_12 = &s->context->store->only_12;

	if (s->context->server || atomic_exchange(only_12, false) ||
	    err != MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER ||
	    mbedtls_ssl_get_version_number(&s->ssl) !=
		    MBEDTLS_SSL_VERSION_TLS1_2)
		return false;
	atomic_store(only_12, true);
	reason_set(why, REASON_NETWORK, 0, "the peer signs its TLS 1.2 as in "
		   "1.3: once more, with 1.2 alone");
	return true;
#else
	(void)s;
	(void)err;
	(void)why;
	return false;
#endif
}

int tls_handshake(struct tls_session *s, struct buf *out, struct reason *why)
{
	int err;

	s->out = out;
	err = handshake_step(s);
	s->out = NULL;
	if (err == MBEDTLS_ERR_SSL_WANT_READ)
		return 0;
	if (err == 0)
		return accept_peer(s, why);
	if (!step_back(s, err, why))
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
		do
			n = mbedtls_ssl_write(&s->ssl, data, len);
		while (is_ticket(s, n));
		if (n < 0)
			break;
	}
	s->out = NULL;
	if (n >= 0)
		return 0;
	return n == MBEDTLS_ERR_SSL_ALLOC_FAILED ? -ENOMEM : -EPIPE;
}

/* It wants more, but has some: so 3.6 stops in front of a ticket. */
static bool stopped_short(const struct tls_session *s, int n)
{
	return n == MBEDTLS_ERR_SSL_WANT_READ &&
	       (s->in_at < s->in.len || mbedtls_ssl_check_pending(&s->ssl));
}

int tls_read(struct tls_session *s, struct buf *plain, struct buf *out)
{
	unsigned stops = 0;
	int n;

	s->out = out;
	do {
		uint8_t *to = buf_room(plain, RECORD);

		n = to ? mbedtls_ssl_read(&s->ssl, to, RECORD)
		       : MBEDTLS_ERR_SSL_ALLOC_FAILED;
		if (n != MBEDTLS_ERR_SSL_WANT_READ)
			stops = 0;
		if (n > 0) {
			plain->len += (size_t)n;
			plain->data[plain->len] = 0;
		}
	} while (n > 0 || is_ticket(s, n) ||
		 (stopped_short(s, n) && ++stops < STOPS_MAX));
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
