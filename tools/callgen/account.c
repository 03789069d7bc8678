/** @file account.c  Spans of a leg's timeline */
#include "tools/callgen/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "daemon/base/must.h"

static struct span *span_for(struct account *a, enum fate fate)
{
	struct span *last = a->n ? &a->spans[a->n - 1] : NULL;

	if (last && last->fate == fate && !a->broken)
		return last;
	if (a->n == a->size) {
		a->size = a->size ? 2 * a->size : 8;
		a->spans = realloc(a->spans, a->size * sizeof(*a->spans));
		must(a->spans);
	}
	a->broken = false;
	last = &a->spans[a->n++];
	*last = (struct span){ .start = a->at, .end = a->at, .fate = fate };
	return last;
}

void account_frame(struct account *a, enum fate fate, size_t offset, size_t n)
{
	struct span *s = span_for(a, fate);

	if (fate == FATE_HEARD) {
		const uint8_t *pcm = a->sound->heard[a->law] + 2 * offset;

		s->crc = (uint32_t)crc32(s->crc, pcm, (unsigned)(2 * n));
		a->crc = (uint32_t)crc32(a->crc, pcm, (unsigned)(2 * n));
	}
	a->at += n;
	s->end = a->at;
	a->samples[fate] += n;
}

void account_break(struct account *a, enum break_kind kind)
{
	if (!a->breaks)
		a->breaks = json_array();
	json_array_append_new(a->breaks, json_pack("[I, s]", (json_int_t)a->at,
			      kind == BREAK_SSRC ? "ssrc" : "timestamp"));
	a->broken = true;
}

static json_t *hex(uint32_t crc)
{
	char text[9];

	snprintf(text, sizeof(text), "%08x", (unsigned)crc);
	return json_string(text);
}

void account_tell(const struct account *a, json_t *into)
{
	static const char *const names[FATES] = { "heard", "lost", "silent" };
	json_t *samples = json_pack("{s:I}", "all", (json_int_t)a->at);

	json_object_set_new(into, "samples", samples);
	json_object_set_new(into, "crc32", hex(a->crc));
	for (int f = 0; f < FATES; f++) {
		json_t *list = json_array();

		json_object_set_new(samples, names[f],
				    json_integer((json_int_t)a->samples[f]));
		for (size_t i = 0; i < a->n; i++) {
			const struct span *s = &a->spans[i];
			json_t *row;

			if ((int)s->fate != f)
				continue;
			row = json_pack("[I, I]", (json_int_t)s->start,
					(json_int_t)s->end);
			if (f == FATE_HEARD)
				json_array_append_new(row, hex(s->crc));
			json_array_append_new(list, row);
		}
		json_object_set_new(into, names[f], list);
	}
	if (a->breaks)
		json_object_set(into, "breaks", a->breaks);
}

void account_free(struct account *a)
{
	free(a->spans);
	json_decref(a->breaks);
	*a = (struct account){0};
}
