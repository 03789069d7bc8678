/** @file resolve.c  A host name's addresses, off the loop */
#include "daemon/net/resolve.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct resolve {
	uv_getaddrinfo_t req;
	uint16_t port;
	resolve_fn *fn; /* NULL: closed */
	void *arg;
	bool answered;
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

static void on_answer(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
	struct resolve *r = req->data;
	struct addr found[RESOLVE_MAX];
	size_t n = 0;

	for (struct addrinfo *i = status ? NULL : list; i && n < RESOLVE_MAX;
	     i = i->ai_next) {
		if (addr_from_sockaddr(&found[n], i->ai_addr))
			continue;
		found[n++].port = r->port;
	}
	uv_freeaddrinfo(list);
	r->answered = true;
	if (!r->fn)
		free(r);
	else
		r->fn(found, n, status ? uv_strerror(status) : "no address",
		      r->arg);
}

int resolve_open(struct resolve **out, uv_loop_t *loop, const char *host,
		 uint16_t port, resolve_fn *fn, void *arg)
{
	/* RFC 6761 section 6.3: "localhost" is this machine, whatever a server
	 * of names says; no name at all is how the resolver is asked that */
	const bool local = !strcasecmp(host, "localhost");
	const struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM,
		.ai_flags = local ? AI_NUMERICSERV : AI_ADDRCONFIG,
	};
	struct resolve *r;
	int err;

	if (!resolve_host_ok(host))
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->port = port;
	r->fn = fn;
	r->arg = arg;
	r->req.data = r;
	err = uv_getaddrinfo(loop, &r->req, on_answer,
			     local ? NULL : host, local ? "0" : NULL, &hints);
	if (err) {
		free(r);
		return err;
	}
	*out = r;
	return 0;
}

void resolve_close(struct resolve *r)
{
	if (!r)
		return;
	if (r->answered) {
		free(r);
		return;
	}
	r->fn = NULL;
	uv_cancel((uv_req_t *)&r->req); /* or on_answer() comes and frees */
}
