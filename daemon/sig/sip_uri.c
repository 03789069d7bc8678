/** @file sip_uri.c  Where a SIP URI points to */
#include "daemon/sig/sip_uri.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/number.h"
#include "daemon/sig/sip_fields.h"

enum { PORT = 5060, PORT_TLS = 5061 };

const char *sip_transport_name(enum sip_transport t)
{
	static const char *const names[] = { "udp", "tcp", "tls" };

	return names[t];
}

struct sip_text sip_bare_uri(struct sip_text value)
{
	bool quoted = false;

	for (size_t i = 0; i < value.len; i++) {
		if (quoted && value.p[i] == '\\') {
			i++;
		} else if (value.p[i] == '"') {
			quoted = !quoted;
		} else if (value.p[i] == '<' && !quoted) {
			struct sip_text rest = { value.p + i + 1,
						 value.len - i - 1 };

			return sip_text_trim(sip_text_cut(&rest, '>'));
		}
	}
	/* RFC 3261 section 20: without brackets parameters are the header's */
	return sip_text_trim(sip_text_cut(&value, ';'));
}

static bool take_scheme(struct sip_uri *u, struct sip_text *rest)
{
	if (rest->len > 4 && !strncasecmp(rest->p, "sip:", 4)) {
		rest->p += 4;
		rest->len -= 4;
		return true;
	}
	if (rest->len > 5 && !strncasecmp(rest->p, "sips:", 5)) {
		rest->p += 5;
		rest->len -= 5;
		u->sips = true;
		return true;
	}
	return false;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static int take_host(struct sip_uri *u, struct sip_text t)
{
	uint64_t port = 0;

	t = sip_text_trim(t);
	if (t.len && t.p[0] == '[') {
		t.p++;
		t.len--;
		if (!memchr(t.p, ']', t.len))
			return -EBADMSG;
		u->host = sip_text_cut(&t, ']');
		if (t.len && t.p[0] != ':')
			return -EBADMSG;
		if (t.len) {
			t.p++;
			t.len--;
		}
	} else {
		u->host = sip_text_cut(&t, ':');
	}
	if (!u->host.len || (t.len && number_parse(&port, t.p, t.len, 65535)))
		return -EBADMSG;
	u->port = (uint16_t)port;
	return 0;
}

static void take_params(struct sip_uri *u, struct sip_text params)
{
	while (params.len) {
		struct sip_text one = sip_text_cut(&params, ';');
		const struct sip_text name =
			sip_text_trim(sip_text_cut(&one, '='));

		one = sip_text_trim(one);
		if (sip_text_is(name, "lr"))
			u->lr = true;
		if (!sip_text_is(name, "transport"))
			continue;
		u->has_transport = true;
		u->transport = sip_text_is(one, "tls") ? SIP_TLS
			       : sip_text_is(one, "tcp")
				       ? (u->sips ? SIP_TLS : SIP_TCP)
				       : SIP_UDP;
	}
}

int sip_uri_read(struct sip_uri *out, struct sip_text value)
{
	struct sip_uri u = { .whole = sip_bare_uri(value) };
	struct sip_text rest = u.whole;

	if (!take_scheme(&u, &rest))
		return -EBADMSG;
	u.transport = u.sips ? SIP_TLS : SIP_UDP;
	/* user parts may hold ';' and '?', hosts may not */
	const char *at = memchr(rest.p, '@', rest.len);

	if (at) {
		rest.len -= (size_t)(at + 1 - rest.p);
		rest.p = at + 1;
	}
	rest = sip_text_cut(&rest, '?');
	const int err = take_host(&u, sip_text_cut(&rest, ';'));

	if (err)
		return err;
	take_params(&u, rest);
	*out = u;
	return 0;
}

int sip_uri_address(struct addr *out, const struct sip_uri *u)
{
	struct addr a;
	const int err = addr_parse(&a, u->host.p, u->host.len);

	if (err)
		return err;
	a.port = u->port	       ? u->port
		 : u->transport == SIP_TLS ? PORT_TLS
					   : PORT;
	*out = a;
	return 0;
}
