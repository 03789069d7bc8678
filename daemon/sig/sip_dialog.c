/** @file sip_dialog.c  One dialog that a caller began */
#include "daemon/sig/sip_dialog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *copy(struct sip_text t)
{
	return strndup(t.p ? t.p : "", t.len);
}

static struct sip_text text_of(const char *s)
{
	return (struct sip_text){ s, strlen(s) };
}

/* The URI of the first Contact; requests could go there */
static struct sip_text contact_of(const struct sip_fields *f)
{
	struct sip_text rest = sip_field(f, "contact", 0), one;
	struct sip_uri u;

	if (!sip_next_value(&rest, &one) || sip_uri_read(&u, one))
		return (struct sip_text){ NULL, 0 };
	return u.whole;
}

/* RFC 2543 had no Contact in every INVITE */
static struct sip_text target_of(const struct sip_fields *f)
{
	struct sip_uri u;

	if (sip_field(f, "contact", 0).p)
		return contact_of(f);
	return sip_uri_read(&u, sip_field(f, "from", 0))
		       ? (struct sip_text){ NULL, 0 } : u.whole;
}

bool sip_dialog_reaches(const struct sip_fields *f)
{
	return target_of(f).len > 0;
}

static int take_routes(struct sip_dialog *d, const struct sip_fields *f)
{
	struct sip_text rest, one;

	for (size_t i = 0; (rest = sip_field(f, "record-route", i)).p; i++)
		while (sip_next_value(&rest, &one)) {
			if (d->n_routes == SIP_ROUTES_MAX)
				return -EMSGSIZE;
			d->routes[d->n_routes] = copy(one);
			if (!d->routes[d->n_routes])
				return -ENOMEM;
			d->n_routes++;
		}
	return 0;
}

static char *local_of(const struct sip_fields *f, const char *tag)
{
	const struct sip_text to = sip_param_base(sip_field(f, "to", 0));
	char *out;

	if (asprintf(&out, "%.*s;tag=%s", (int)to.len, to.p, tag) < 0)
		return NULL;
	return out;
}

int sip_dialog_new(struct sip_dialog **out, const struct sip_message *m,
		   const struct sip_fields *f, const char *local_tag)
{
	const struct sip_text contact = target_of(f);
	struct sip_dialog *d = contact.len ? calloc(1, sizeof(*d)) : NULL;

	if (!d)
		return contact.len ? -ENOMEM : -EBADMSG;
	snprintf(d->local_tag, sizeof(d->local_tag), "%s", local_tag);
	d->call_id = strdup(m->call_id);
	d->remote_tag = strdup(m->from_tag);
	d->call_id_sent = copy(sip_field(f, "call-id", 0));
	d->remote = copy(sip_field(f, "from", 0));
	d->local = local_of(f, d->local_tag);
	d->target = copy(contact);
	d->remote_cseq = m->cseq;
	int err = 0;

	if (!d->call_id || !d->call_id_sent || !d->remote_tag || !d->remote ||
	    !d->local || !d->target)
		err = -ENOMEM;
	if (!err)
		err = take_routes(d, f);
	if (err) {
		sip_dialog_free(d);
		return err;
	}
	*out = d;
	return 0;
}

void sip_dialog_free(struct sip_dialog *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n_routes; i++)
		free(d->routes[i]);
	free(d->call_id);
	free(d->call_id_sent);
	free(d->remote_tag);
	free(d->remote);
	free(d->local);
	free(d->target);
	free(d);
}

void sip_dialog_target(struct sip_dialog *d, const struct sip_fields *f)
{
	const struct sip_text contact = contact_of(f);
	char *target = contact.len ? copy(contact) : NULL;

	if (!target)
		return;
	free(d->target);
	d->target = target;
}

bool sip_dialog_is(const struct sip_dialog *d, const struct sip_message *m)
{
	return !strcmp(d->local_tag, m->to_tag) &&
	       !strcmp(d->remote_tag, m->from_tag) &&
	       !strcmp(d->call_id, m->call_id);
}

/* A proxy of RFC 2543 in front wants to be the request's URI (section
 * 12.2.1.1) */
static bool is_strict(const struct sip_dialog *d)
{
	struct sip_uri u;

	return d->n_routes && !sip_uri_read(&u, text_of(d->routes[0])) && !u.lr;
}

static void put_routes(struct buf *out, const struct sip_dialog *d)
{
	const size_t first = is_strict(d);

	for (size_t i = first; i < d->n_routes; i++)
		buf_printf(out, "Route: %s\r\n", d->routes[i]);
	if (first)
		buf_printf(out, "Route: <%s>\r\n", d->target);
}

int sip_dialog_request(struct buf *out, struct sip_dialog *d,
		       const char *method, const char *via, const char *branch)
{
	const struct sip_text uri =
		is_strict(d) ? sip_bare_uri(text_of(d->routes[0]))
			     : text_of(d->target);

	d->local_cseq++;
	buf_printf(out, "%s %.*s SIP/2.0\r\n", method, (int)uri.len, uri.p);
	buf_printf(out, "Via: SIP/2.0/%s;branch=z9hG4bK%s;rport\r\n", via,
		   branch);
	buf_puts(out, "Max-Forwards: 70\r\n");
	put_routes(out, d);
	buf_printf(out, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\n", d->local,
		   d->remote, d->call_id_sent);
	buf_printf(out, "CSeq: %u %s\r\nUser-Agent: trunkscribe\r\n"
			"Content-Length: 0\r\n\r\n", d->local_cseq, method);
	return out->err;
}

int sip_dialog_next_hop(struct sip_uri *out, const struct sip_dialog *d)
{
	return sip_uri_read(out, text_of(d->n_routes ? d->routes[0]
						     : d->target));
}
