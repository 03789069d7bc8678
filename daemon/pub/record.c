/** @file record.c  The bytes of the journal's files */
#include "daemon/pub/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "daemon/base/array.h"
#include "daemon/base/number.h"
#include "daemon/base/rd.h"

static const char magic[8] = { 'T', 'S', 'J', 'R', 'N', 'L', '1', '\n' };

enum {
	SUMMED = 8,           /* The sum covers what stands behind it */
	KEY_MAX = 255,
	NUMBER_DIGITS = 20,
};

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		p[i] = (uint8_t)v;
	return p + 4;
}

static uint8_t *put64(uint8_t *p, uint64_t v)
{
	put32(p, (uint32_t)(v >> 32));
	return put32(p + 4, (uint32_t)v);
}

static uint32_t sum(const uint8_t *data, size_t len)
{
	return (uint32_t)crc32_z(0, data, len);
}

static size_t key_len(const struct record *r)
{
	return r->key ? strnlen(r->key, KEY_MAX) : 0;
}

size_t record_size(const struct record *r)
{
	return RECORD_HEAD + key_len(r) + 1 + r->len;
}

size_t record_put(uint8_t *out, const struct record *r)
{
	const size_t key = key_len(r);
	const size_t size = record_size(r);
	uint8_t *p = put64(out + SUMMED, r->seq);

	p = put64(p, r->at_us);
	*p++ = r->kind;
	*p++ = (uint8_t)key;
	*p++ = 0;
	*p++ = 0;
	if (key)
		memcpy(p, r->key, key);
	p[key] = 0;
	if (r->len)
		memcpy(p + key + 1, r->line, r->len);
	put32(out, (uint32_t)(size - SUMMED));
	put32(out + 4, sum(out + SUMMED, size - SUMMED));
	return size;
}

int record_get(struct record *out, const uint8_t *data, size_t len)
{
	struct rd r = rd_of(data, len);
	const size_t length = rd_u32(&r);
	const uint32_t crc = rd_u32(&r);

	if (r.bad)
		return 0;
	if (length == 0 && crc == 0)
		return -ENODATA;
	if (length < RECORD_HEAD - SUMMED + 1 || length > RECORD_MAX - SUMMED)
		return -EBADMSG;
	struct rd body = rd_sub(&r, length);
	if (body.bad)
		return 0;
	const uint8_t *summed = body.p;
	struct record got = { .seq = rd_u64(&body), .at_us = rd_u64(&body),
			      .kind = rd_u8(&body) };
	const size_t key = rd_u8(&body);
	const uint16_t zero = rd_u16(&body);
	got.key = (const char *)rd_take(&body, key + 1);
	got.len = rd_left(&body);
	got.line = (const char *)body.p;
	/* the sum last: it costs most, and most of what is no record fails
	   before it */
	if (body.bad || zero || got.seq == 0 || got.kind >= RECORD_KINDS ||
	    got.len > RECORD_LINE_MAX || memchr(got.key, 0, key) ||
	    got.key[key] || sum(summed, length) != crc)
		return -EBADMSG;
	*out = got;
	return (int)(length + SUMMED);
}

/* -- the whole of a segment ------------------------------------------------ */

static bool all_zero(const uint8_t *p, size_t n)
{
	return n == 0 || (p[0] == 0 && !memcmp(p, p + 1, n - 1));
}

/* @return its size, or 0: no good one is here */
static size_t good_at(const struct record_scan *s, size_t at,
		      struct record *out)
{
	const int n = record_get(out, s->data + at, s->len - at);

	if (n <= 0 || out->seq < s->next || out->seq > s->end ||
	    (out->kind < RECORD_EVENTS && out->seq == s->end))
		return 0;
	return (size_t)n;
}

bool record_scan(struct record_scan *s, struct record *out)
{
	size_t at = s->at;
	size_t n = good_at(s, at, out);

	if (!n && !all_zero(s->data + at, s->len - at)) {
		s->damaged = true;
		while (!n && at < s->len)
			n = good_at(s, ++at, out);
	}
	if (!n)
		return false;
	s->at = at + n;
	s->next = out->kind < RECORD_EVENTS ? out->seq + 1 : out->seq;
	return true;
}

/* -- head and name --------------------------------------------------------- */

void segment_head_put(uint8_t out[SEGMENT_HEAD], const struct segment_head *h)
{
	memcpy(out, magic, sizeof(magic));
	uint8_t *p = put64(out + sizeof(magic), h->epoch);
	p = put64(p, h->first);
	p = put64(p, h->created_us);
	memcpy(p, h->boot, SEGMENT_BOOT);
	p = put64(p + SEGMENT_BOOT, h->booted_us);
	p = put64(p, h->size);
	p = put32(p, h->flags);
	put32(p, sum(out, SEGMENT_HEAD - 4));
}

int segment_head_get(struct segment_head *out, const uint8_t *data, size_t len)
{
	struct rd r = rd_of(data, len);
	const uint8_t *begins = rd_take(&r, sizeof(magic));
	struct segment_head h = { .epoch = rd_u64(&r), .first = rd_u64(&r),
				  .created_us = rd_u64(&r) };
	const uint8_t *boot = rd_take(&r, SEGMENT_BOOT);

	h.booted_us = rd_u64(&r);
	h.size = rd_u64(&r);
	h.flags = rd_u32(&r);
	const uint32_t crc = rd_u32(&r);
	if (r.bad || memcmp(begins, magic, sizeof(magic)) != 0 ||
	    sum(data, SEGMENT_HEAD - 4) != crc)
		return -EBADMSG;
	memcpy(h.boot, boot, SEGMENT_BOOT);
	*out = h;
	return 0;
}

void segment_name(char out[SEGMENT_NAME], uint64_t first)
{
	snprintf(out, SEGMENT_NAME, "%0*" PRIu64 ".log", NUMBER_DIGITS, first);
}

int segment_name_parse(uint64_t *first, const char *name)
{
	uint64_t n;

	if (strlen(name) != NUMBER_DIGITS + 4 ||
	    strcmp(name + NUMBER_DIGITS, ".log") != 0 ||
	    number_parse(&n, name, NUMBER_DIGITS, INT64_MAX) || n == 0)
		return -EBADMSG;
	*first = n;
	return 0;
}
