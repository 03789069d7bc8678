#include "daemon/sig/sip_body.h"

#include <errno.h>
#include <osipparser2/osip_message.h>
#include <string.h>

#include "daemon/base/number.h"
#include "daemon/sig/multipart.h"

static bool is_metadata(struct sip_text type)
{
	return sip_text_is(type, "application/rs-metadata+xml") ||
	       sip_text_is(type, "application/rs-metadata");
}

static void take_part(struct sip_body *out, struct sip_text type,
		      struct sip_text data)
{
	if (is_metadata(type)) {
		out->siprec = true;
		if (!out->metadata.len)
			out->metadata = data;
	}
	if (!out->sdp.len && sip_text_is(type, "application/sdp"))
		out->sdp = data;
}

static int read_multipart(struct sip_body *out, const osip_content_type_t *type,
			  struct sip_text in)
{
	osip_generic_param_t *found = NULL;
	struct multipart m;
	struct multipart_part part;
	int got;

	/* libosip2 writes to neither list nor name */
	if (osip_generic_param_get_byname(
		    (osip_list_t *)(uintptr_t)&type->gen_params,
		    (char *)(uintptr_t)"boundary", &found) != OSIP_SUCCESS ||
	    !found || !found->gvalue)
		return -EBADMSG;
	struct sip_text b = { found->gvalue, strlen(found->gvalue) };

	if (b.len >= 2 && b.p[0] == '"' && b.p[b.len - 1] == '"') {
		b.p++;
		b.len -= 2;
	}
	const int err = multipart_begin(&m, b.p, b.len, in.p, in.len);

	if (err)
		return err;
	while ((got = multipart_next(&m, &part)) == 1)
		take_part(out, (struct sip_text){ part.type, part.type_len },
			  (struct sip_text){ part.data, part.len });
	return got;
}

static int find(struct sip_text *out, const struct sip_head *h,
		const char *data, size_t len)
{
	const struct sip_text t = h->content_length;
	uint64_t n = len - h->len;

	if (t.p && (number_parse(&n, t.p, t.len, SIP_MESSAGE_MAX) < 0 ||
		    n > len - h->len))
		return -EBADMSG;
	*out = (struct sip_text){ data + h->len, n };
	return 0;
}

bool sip_body_is_multipart(const struct sip_head *h)
{
	struct sip_text type = h->content_type;

	return type.len && sip_text_is(sip_text_trim(sip_text_cut(&type, '/')),
				       "multipart");
}

int sip_body_read(struct sip_body *out, const struct sip_head *h,
		  const osip_content_type_t *type, const char *data, size_t len)
{
	struct sip_text in, given = h->content_type;
	const int err = find(&in, h, data, len);

	if (err)
		return err;
	if (!in.len || (h->content_encoding.len &&
			!sip_text_is(h->content_encoding, "identity")))
		return 0;
	if (sip_body_is_multipart(h))
		return type ? read_multipart(out, type, in) : -EBADMSG;
	if (given.len)
		take_part(out, sip_text_trim(sip_text_cut(&given, ';')), in);
	else if (in.len >= 2 && memcmp(in.p, "v=", 2) == 0)
		out->sdp = in;
	return 0;
}
