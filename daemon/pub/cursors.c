/** @file cursors.c  Where named subscribers go on, as a file */
#include "daemon/pub/cursors.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "daemon/pub/writer.h"

#define CRC_FORM ",\"crc\":\"%08" PRIx32 "\"}\n"

enum { CRC_BYTES = 19 }; /* Of CRC_FORM */

static uint32_t sum(const void *text, size_t len)
{
	return (uint32_t)crc32_z(0, text, len);
}

void cursors_print(struct buf *out, const struct names *n, uint64_t epoch)
{
	const size_t begin = out->len;
	struct writer w = { .out = out };
	char hex[24];

	snprintf(hex, sizeof(hex), "%016" PRIx64, epoch);
	writer_open(&w, NULL, '{');
	writer_str(&w, "epoch", hex, sizeof(hex));
	writer_open(&w, "cursors", '[');
	list_each(&n->all, item) {
		const struct named *one = list_item(item, struct named, in);

		writer_open(&w, NULL, '[');
		writer_str(&w, NULL, one->name, EVENT_ID);
		writer_uint(&w, NULL, one->next);
		writer_close(&w, ']');
	}
	writer_close(&w, ']');
	if (!out->err)
		buf_printf(out, CRC_FORM, sum(out->data + begin,
					      out->len - begin));
}

static bool is_cursor(const json_t *v)
{
	const json_t *name = json_array_get(v, 0);
	const json_t *next = json_array_get(v, 1);

	return json_array_size(v) == 2 && json_is_string(name) &&
	       json_string_length(name) > 0 &&
	       json_string_length(name) < EVENT_ID && json_is_integer(next) &&
	       json_integer_value(next) >= 0;
}

static int epoch_of(const json_t *o, uint64_t *out)
{
	const char *hex = json_string_value(json_object_get(o, "epoch"));
	uint64_t v = 0;

	if (!hex || strlen(hex) != 16)
		return -EBADMSG;
	for (; *hex; hex++) {
		static const char digits[] = "0123456789abcdef";
		const char *d = strchr(digits, *hex);

		if (!d)
			return -EBADMSG;
		v = v << 4 | (uint64_t)(d - digits);
	}
	*out = v;
	return 0;
}

static int take(struct names *n, uint64_t *epoch, const json_t *o)
{
	const json_t *all = json_object_get(o, "cursors"), *one;
	uint64_t e;
	size_t i;

	if (epoch_of(o, &e) || !json_is_array(all) ||
	    json_array_size(all) > NAMES_MAX)
		return -EBADMSG;
	json_array_foreach(all, i, one)
		if (!is_cursor(one))
			return -EBADMSG;
	json_array_foreach(all, i, one) {
		struct named *to = names_use(n, json_string_value(
						     json_array_get(one, 0)));
		if (!to)
			return -ENOMEM;
		to->next = (uint64_t)json_integer_value(json_array_get(one, 1));
	}
	*epoch = e;
	return 0;
}

int cursors_parse(struct names *n, uint64_t *epoch, const char *text,
		  size_t len)
{
	char crc[CRC_BYTES + 1];

	if (len <= CRC_BYTES)
		return -EBADMSG;
	snprintf(crc, sizeof(crc), CRC_FORM, sum(text, len - CRC_BYTES));
	if (memcmp(text + len - CRC_BYTES, crc, CRC_BYTES) != 0)
		return -EBADMSG;
	json_t *o = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const int err = json_is_object(o) ? take(n, epoch, o) : -EBADMSG;
	json_decref(o);
	return err;
}
