/** @file resolve.c  A host name's addresses, off the loop */
#include "daemon/net/resolve.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/list.h"
#include "daemon/base/log.h"
#include "daemon/net/timer.h"

enum { WAIT_MS = 10000, OLD_MS = 1800, KEEP_MS = 3600 * 1000 };

/* A host that was ever asked for: a handful, they come from the configuration.
 * The job that runs owns it together with the resolver. */
struct host {
	struct list item;          /* of the resolver's */
	struct resolver *resolver; /* NULL: closed, the job frees */
	uv_getaddrinfo_t req;
	bool busy;
	struct list asking;
	char name[HOST_MAX + 1];
	struct addr known[RESOLVE_MAX];
	size_t n_known;
	uint64_t known_ms;         /* when */
	struct log_limit log;
};

struct resolver {
	uv_loop_t *loop;
	struct resolver_options o;
	struct list hosts;
};

struct resolve {
	struct list item; /* of the host's, until it is answered */
	struct host *host;
	struct timer_once *timer;
	uint16_t port;
	resolve_fn *fn;
	void *arg;
};

bool resolve_host_ok(const char *host)
{
	const size_t len = strnlen(host, HOST_MAX + 1);
	struct addr a;
	size_t end = len, last;

	if (len == 0 || len > HOST_MAX)
		return false;
	if (!addr_parse(&a, host, len))
		return true;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)host[i]) && !strchr("-_.", host[i]))
			return false;
	if (host[0] == '.' || strstr(host, ".."))
		return false;
	if (host[end - 1] == '.')
		end--;
	for (last = end; last > 0 && host[last - 1] != '.'; last--)
		;
	/* the last label of a name begins with a letter (RFC 3696 section 2) */
	return last < end && !isdigit((unsigned char)host[last]);
}

/* -- answers --------------------------------------------------------------- */

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

/* The last answer, if it may still serve. */
static bool has_known(const struct host *h)
{
	return h->n_known &&
	       now_ms() - h->known_ms < h->resolver->o.keep_ms;
}

static void answer(struct resolve *q, const struct host *h, const char *error)
{
	struct addr found[RESOLVE_MAX];
	const size_t n = error ? 0 : h->n_known;

	for (size_t i = 0; i < n; i++) {
		found[i] = h->known[i];
		found[i].port = q->port;
	}
	list_remove(&q->item);
	q->host = NULL;
	timer_once_stop(q->timer);
	q->fn(found, n, error, q->arg); /* may close q: last line */
}

/* Told once in a while: with an answer this old a call still gets through. */
static void tell_old(struct host *h, const char *error)
{
	uint64_t kept_back;

	if (log_limited(&h->log, uv_hrtime() / 1000, &kept_back))
		log_warn("dns", "%s does not resolve: %s; the addresses of %u s "
			 "ago are used", h->name, error,
			 (unsigned)((now_ms() - h->known_ms) / 1000));
}

static void on_late(void *arg)
{
	struct resolve *q = arg;
	struct host *h = q->host;

	if (has_known(h)) {
		tell_old(h, "no answer yet");
		answer(q, h, NULL);
	} else {
		answer(q, h, "the name server does not answer");
	}
}

static size_t take(struct host *h, const struct addrinfo *list)
{
	struct addr found[RESOLVE_MAX];
	size_t n = 0;

	for (; list && n < RESOLVE_MAX; list = list->ai_next)
		if (!addr_from_sockaddr(&found[n], list->ai_addr))
			n++;
	if (n) {
		memcpy(h->known, found, n * sizeof(found[0]));
		h->n_known = n;
		h->known_ms = now_ms();
	}
	return n;
}

/* The host is `busy` meanwhile, so that closing the resolver in a callback
 * leaves it to us. */
static void answer_all(struct host *h, const char *error)
{
	size_t n = 0;

	if (error && has_known(h)) {
		tell_old(h, error);
		error = NULL;
	}
	list_each(&h->asking, i)
		n++;
	/* who asks inside a callback, endlessly, does not keep us here */
	while (n-- && h->resolver && !list_empty(&h->asking))
		answer(list_item(h->asking.next, struct resolve, item), h,
		       error);
}

/* -- the job ---------------------------------------------------------------- */

static void start(struct host *h);

static void settle(struct host *h, const char *error)
{
	answer_all(h, error);
	h->busy = false;
	if (!h->resolver)
		free(h);
	else if (!list_empty(&h->asking))
		start(h);
}

static void on_answer(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
	struct host *h = req->data;
	const char *error = NULL;

	if (status)
		error = uv_strerror(status);
	else if (h->resolver && !take(h, list))
		error = "no address";
	uv_freeaddrinfo(list);
	if (h->resolver) {
		settle(h, error);
	} else {
		free(h);
	}
}

static void start(struct host *h)
{
	/* RFC 6761 section 6.3: "localhost" is this machine, whatever a server
	 * of names says; no name at all is how the resolver is asked that */
	const bool local = !strcasecmp(h->name, "localhost");
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = local ? AI_NUMERICSERV : AI_ADDRCONFIG,
	};

	h->req.data = h;
	/* fails for want of memory only; then each asker's time runs out */
	h->busy = !uv_getaddrinfo(h->resolver->loop, &h->req, on_answer,
				  local ? NULL : h->name, local ? "0" : NULL,
				  &hints);
}

/* -- asking ------------------------------------------------------------------ */

static struct host *host_of(struct resolver *r, const char *name)
{
	struct host *h;

	list_each(&r->hosts, i) {
		h = list_item(i, struct host, item);
		if (!strcasecmp(h->name, name))
			return h;
	}
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	memcpy(h->name, name, strlen(name));
	h->resolver = r;
	list_init(&h->asking);
	list_add(&r->hosts, &h->item);
	return h;
}

int resolve_open(struct resolve **out, struct resolver *r, const char *host,
		 uint16_t port, resolve_fn *fn, void *arg)
{
	struct resolve *q;
	struct host *h;

	if (!resolve_host_ok(host))
		return -EINVAL;
	h = host_of(r, host);
	q = calloc(1, sizeof(*q));
	if (!h || !q || timer_once_open(&q->timer, r->loop, on_late, q)) {
		free(q);
		return -ENOMEM;
	}
	q->host = h;
	q->port = port;
	q->fn = fn;
	q->arg = arg;
	list_add(&h->asking, &q->item);
	timer_once_start(q->timer, has_known(h) ? r->o.old_ms : r->o.wait_ms);
	if (!h->busy)
		start(h);
	*out = q;
	return 0;
}

void resolve_close(struct resolve *q)
{
	if (!q)
		return;
	list_remove(&q->item);
	timer_once_close(q->timer);
	free(q); /* the job runs on: its answer will be known */
}

int resolver_open(struct resolver **out, uv_loop_t *loop,
		  const struct resolver_options *o)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->loop = loop;
	if (o)
		r->o = *o;
	if (!r->o.wait_ms)
		r->o.wait_ms = WAIT_MS;
	if (!r->o.old_ms)
		r->o.old_ms = OLD_MS;
	if (!r->o.keep_ms)
		r->o.keep_ms = KEEP_MS;
	list_init(&r->hosts);
	*out = r;
	return 0;
}

static void leave(struct host *h)
{
	list_each(&h->asking, i) {
		struct resolve *q = list_item(i, struct resolve, item);

		list_remove(&q->item);
		q->host = NULL;
		timer_once_stop(q->timer);
	}
	list_remove(&h->item);
	h->resolver = NULL;
	if (h->busy)
		uv_cancel((uv_req_t *)&h->req); /* or it comes and frees */
	else
		free(h);
}

void resolver_close(struct resolver *r)
{
	if (!r)
		return;
	list_each(&r->hosts, i)
		leave(list_item(i, struct host, item));
	free(r);
}
