/**
 * @file tls_resume.c  Sessions kept for the next handshake with the same host
 *
 * A resumed handshake costs a fiftieth of a full one.  Each context has its
 * own store, so nothing crosses from one trust to another.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/net/tls_impl.h"

enum { MAX_AGE_S = 3600, MAX_HOSTS = 64 };

struct saved {
	struct list item;
	char host[254];
	mbedtls_ssl_session session;
	uint64_t at_s;        /* monotonic */
	uint64_t not_after_s; /* the certificate's, wall clock */
};

int tls_store_new(struct tls_store **out)
{
	struct tls_store *st = calloc(1, sizeof(*st));

	if (!st)
		return -ENOMEM;
	if (uv_mutex_init(&st->lock)) {
		free(st);
		return -ENOMEM;
	}
	list_init(&st->saved);
	*out = st;
	return 0;
}

static void forget(struct tls_store *st, struct saved *v)
{
	list_remove(&v->item);
	st->n--;
	mbedtls_ssl_session_free(&v->session);
	free(v);
}

void tls_store_free(struct tls_store *st)
{
	if (!st)
		return;
	list_each(&st->saved, i)
		forget(st, list_item(i, struct saved, item));
	uv_mutex_destroy(&st->lock);
	free(st);
}

static struct saved *find(struct tls_store *st, const char *host)
{
	list_each(&st->saved, i) {
		struct saved *v = list_item(i, struct saved, item);

		if (!strcmp(v->host, host))
			return v;
	}
	return NULL;
}

static uint64_t now_s(void)
{
	return uv_hrtime() / 1000000000;
}

void tls_resume_offer(struct tls_session *s)
{
	struct tls_store *st = s->context->store;
	struct saved *v;

	uv_mutex_lock(&st->lock);
	v = find(st, s->host);
	/* a certificate that expired meanwhile must be seen again */
	if (v && (now_s() - v->at_s >= MAX_AGE_S ||
		  (uint64_t)time(NULL) >= v->not_after_s)) {
		forget(st, v);
		v = NULL;
	}
	if (v && !mbedtls_ssl_set_session(&s->ssl, &v->session)) {
		s->offered = true;
		s->not_after_s = v->not_after_s;
	}
	uv_mutex_unlock(&st->lock);
}

void tls_resume_drop(struct tls_session *s)
{
	struct tls_store *st = s->context->store;
	struct saved *v;

	uv_mutex_lock(&st->lock);
	v = find(st, s->host);
	if (v)
		forget(st, v);
	uv_mutex_unlock(&st->lock);
}

void tls_resume_save(struct tls_session *s)
{
	struct tls_store *st = s->context->store;
	struct saved *v = calloc(1, sizeof(*v));
	struct saved *old;

	if (!v)
		return;
	mbedtls_ssl_session_init(&v->session);
	memcpy(v->host, s->host, sizeof(v->host));
	v->at_s = now_s();
	v->not_after_s = s->not_after_s;
	if (mbedtls_ssl_get_session(&s->ssl, &v->session)) {
		mbedtls_ssl_session_free(&v->session);
		free(v);
		return;
	}
	uv_mutex_lock(&st->lock);
	old = find(st, s->host);
	if (old && !s->chain_checked)
		v->at_s = old->at_s; /* the age counts from the full handshake */
	if (!old && st->n == MAX_HOSTS)
		old = list_item(st->saved.next, struct saved, item);
	if (old)
		forget(st, old);
	list_add(&st->saved, &v->item);
	st->n++;
	uv_mutex_unlock(&st->lock);
}
