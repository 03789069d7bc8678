/*
 * libosip2 wants every line in the order of RFC 8866, with its v=, o= and t=,
 * and refuses what telephones and mod_oreka really send.  So a bounded pass
 * of ours writes the lines we use into that order, libosip2 takes them apart,
 * and numbers are read by number_parse().
 */
#include "daemon/sig/sdp.h"

/* Both have a struct sdp_media */
#define sdp_media osip_sdp_media
#include <osipparser2/sdp_message.h>
#undef sdp_media

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/base/number.h"
#include "daemon/base/utf8.h"
#include "daemon/sig/sdp_lines.h"

enum {
	CLOCK_MAX = 1000000,
	CHANNELS_MAX = 255,
	PTIME_MAX = 200,
	PTIME_MIN = 10,
};

/* RFC 3551 tables 4 and 5; 19 was comfort noise before 13 */
static const struct sdp_format static_formats[] = {
	{ 0, "PCMU", 8000, 1 },   { 3, "GSM", 8000, 1 },
	{ 4, "G723", 8000, 1 },   { 5, "DVI4", 8000, 1 },
	{ 6, "DVI4", 16000, 1 },  { 7, "LPC", 8000, 1 },
	{ 8, "PCMA", 8000, 1 },   { 9, "G722", 8000, 1 },
	{ 10, "L16", 44100, 2 },  { 11, "L16", 44100, 1 },
	{ 12, "QCELP", 8000, 1 }, { 13, "CN", 8000, 1 },
	{ 14, "MPA", 90000, 1 },  { 15, "G728", 8000, 1 },
	{ 16, "DVI4", 11025, 1 }, { 17, "DVI4", 22050, 1 },
	{ 18, "G729", 8000, 1 },  { 19, "CN", 8000, 1 },
	{ 25, "CelB", 90000, 1 }, { 26, "JPEG", 90000, 1 },
	{ 28, "nv", 90000, 1 },   { 31, "H261", 90000, 1 },
	{ 32, "MPV", 90000, 1 },  { 33, "MP2T", 90000, 1 },
	{ 34, "H263", 90000, 1 },
};

static const struct {
	const char *name;
	enum sdp_direction direction;
} directions[] = {
	{ "sendrecv", SDP_SENDRECV },
	{ "sendonly", SDP_SENDONLY },
	{ "recvonly", SDP_RECVONLY },
	{ "inactive", SDP_INACTIVE },
};

/* A number at the start of `text`, followed by its end or one of `ends`;
 * some write "ptime: 20" */
static int leading_number(uint64_t *out, const char *text, const char *ends,
			  uint64_t max)
{
	text += strspn(text, " ");
	return number_parse(out, text, strcspn(text, ends), max);
}

static bool contains(const char *text, const char *what)
{
	return text && strcasestr(text, what);
}

/* A name is no address: then there is none, not the session's */
static void read_address(struct addr *out, const sdp_connection_t *c)
{
	struct addr a = { 0 };

	if (!c)
		return;
	if (c->c_addr)
		(void)addr_parse(&a, c->c_addr, strlen(c->c_addr));
	a.port = out->port;
	*out = a;
}

static void read_direction(enum sdp_direction *out, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(directions); i++)
		if (strcasecmp(name, directions[i].name) == 0)
			*out = directions[i].direction;
}

/* "0 PCMU/8000/1"; what makes no sense is as if it were not there */
static void read_rtpmap(struct sdp_media *m, const char *value)
{
	uint64_t pt, clock, channels = 1;
	const char *name;

	value += strspn(value, " ");
	name = value + strcspn(value, " ");
	if (leading_number(&pt, value, " ", 127) < 0)
		return;
	name += strspn(name, " ");
	const size_t len = strcspn(name, "/");

	if (!len || len >= SDP_NAME || !name[len] ||
	    leading_number(&clock, name + len + 1, "/ ", CLOCK_MAX) < 0 ||
	    clock == 0)
		return;
	const char *slash = strchr(name + len + 1, '/');

	if (slash && (leading_number(&channels, slash + 1, " ",
				     CHANNELS_MAX) < 0 || channels == 0))
		return;
	for (size_t i = 0; i < m->n_formats; i++) {
		struct sdp_format *f = &m->formats[i];

		if (f->pt != pt)
			continue;
		memcpy(f->name, name, len);
		f->name[len] = '\0';
		utf8_clean(f->name);
		f->clock_hz = (uint32_t)clock;
		f->channels = (uint32_t)channels;
	}
}

static void read_ptime(struct sdp_media *m, const char *value)
{
	uint64_t ms;

	if (leading_number(&ms, value, " .", UINT32_MAX) < 0 || ms == 0)
		return;
	m->ptime_ms = (uint32_t)MAX(PTIME_MIN, MIN(ms, PTIME_MAX));
}

static void read_label(struct sdp_media *m, const char *value)
{
	value += strspn(value, " ");
	const size_t len = utf8_cut(value, strlen(value), SDP_LABEL - 1);

	memcpy(m->label, value, len);
	m->label[len] = '\0';
	utf8_clean(m->label);
}

/* What cannot be used is not there */
static void read_crypto(struct sdp_media *m, const char *value)
{
	m->encrypted = true;
	if (m->n_crypto < SDES_LINES_MAX &&
	    sdes_parse(&m->crypto[m->n_crypto], value, strlen(value)) == 0)
		m->n_crypto++;
}

static void keep_word(char *out, size_t size, const char *text)
{
	const size_t len = text ? strlen(text) : 0;

	if (!len || len >= size)
		return;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return;
	memcpy(out, text, len + 1);
}

static void read_attribute(struct sdp_media *m, const sdp_attribute_t *a)
{
	const char *name = a->a_att_field ? a->a_att_field : "";
	const char *value = a->a_att_value ? a->a_att_value : "";
	uint64_t port;

	if (strcasecmp(name, "rtpmap") == 0)
		read_rtpmap(m, value);
	else if (strcasecmp(name, "ptime") == 0)
		read_ptime(m, value);
	else if (strcasecmp(name, "label") == 0)
		read_label(m, value);
	else if (strcasecmp(name, "lang") == 0 && !m->language[0])
		keep_word(m->language, sizeof(m->language), value);
	else if (strcasecmp(name, "rtcp-mux") == 0)
		m->rtcp_mux = true;
	else if (strcasecmp(name, "crypto") == 0)
		read_crypto(m, value);
	else if (strcasecmp(name, "rtcp") == 0 &&
		 leading_number(&port, value, " ", 65535) == 0)
		m->rtcp_port = (uint16_t)port;
	else
		read_direction(&m->direction, name);
}

static void add_format(struct sdp_media *m, const char *text)
{
	struct sdp_format f = { .channels = 1 };
	uint64_t pt;

	if (number_parse(&pt, text, strlen(text), 127) < 0 ||
	    m->n_formats == SDP_FORMATS_MAX)
		return;
	f.pt = (uint8_t)pt;
	for (size_t i = 0; i < ARRAY_LEN(static_formats); i++)
		if (static_formats[i].pt == pt)
			f = static_formats[i];
	m->formats[m->n_formats++] = f;
}

static int read_media(struct sdp_media *m, const sdp_media_t *in)
{
	uint64_t port;

	if (!in->m_media || !in->m_port || !in->m_proto ||
	    number_parse(&port, in->m_port, strlen(in->m_port), 65535) < 0)
		return -EBADMSG;
	keep_word(m->type, sizeof(m->type), in->m_media);
	keep_word(m->proto, sizeof(m->proto), in->m_proto);
	keep_word(m->format, sizeof(m->format),
		  osip_list_get(&in->m_payloads, 0));
	m->audio = strcasecmp(in->m_media, "audio") == 0;
	m->rtp = contains(in->m_proto, "RTP/");
	m->secure = contains(in->m_proto, "SAVP") ||
		    contains(in->m_proto, "TLS");
	m->encrypted = m->secure;
	m->at.port = (uint16_t)port;
	m->rtcp_port = port && port < 65535 ? (uint16_t)(port + 1) : 0;
	for (int i = 0; m->rtp && !osip_list_eol(&in->m_payloads, i); i++)
		add_format(m, osip_list_get(&in->m_payloads, i));
	read_address(&m->at, osip_list_get(&in->c_connections, 0));
	for (int i = 0; !osip_list_eol(&in->a_attributes, i); i++)
		read_attribute(m, osip_list_get(&in->a_attributes, i));
	/* old rtpproxies know no address when they offer what they send */
	if (addr_is_any(&m->at) && m->direction != SDP_SENDONLY)
		m->direction = SDP_INACTIVE;
	if (contains(in->m_proto, "TLS"))
		m->n_crypto = 0;
	return 0;
}

static int read_message(struct sdp *out, const sdp_message_t *in)
{
	/* What the session says holds where the line says nothing */
	struct sdp_media defaults = { 0 };

	read_address(&defaults.at, in->c_connection);
	for (int i = 0; !osip_list_eol(&in->a_attributes, i); i++)
		read_attribute(&defaults, osip_list_get(&in->a_attributes, i));
	for (int i = 0; !osip_list_eol(&in->m_medias, i); i++) {
		struct sdp_media *m = &out->media[out->n_media];
		const bool crypto = defaults.encrypted;

		if (out->n_media == SDP_MEDIA_MAX)
			return -EMSGSIZE;
		*m = (struct sdp_media){ .at = defaults.at,
					 .direction = defaults.direction,
					 .ptime_ms = defaults.ptime_ms };
		const int err = read_media(m, osip_list_get(&in->m_medias, i));

		if (!m->language[0])
			memcpy(m->language, defaults.language,
			       sizeof(m->language));
		if (err)
			return err;
		m->encrypted |= crypto;
		out->n_media++;
	}
	return 0;
}

int sdp_parse(struct sdp *out, const char *text, size_t len)
{
	struct buf lines = { 0 };
	sdp_message_t *m = NULL;
	int err = sdp_lines(&lines, text, len);

	if (!err && sdp_message_init(&m) != 0)
		err = -ENOMEM;
	if (!err && sdp_message_parse(m, buf_str(&lines)) != 0)
		err = -EBADMSG;
	buf_free(&lines);
	if (!err) {
		struct sdp *found = calloc(1, sizeof(*found));

		err = found ? read_message(found, m) : -ENOMEM;
		if (!err)
			*out = *found;
		if (found)
			explicit_bzero(found, sizeof(*found));
		free(found);
	}
	sdp_message_free(m);
	return err;
}
