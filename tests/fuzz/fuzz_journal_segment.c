/**
 * @file fuzz_journal_segment.c  A segment of the journal, whatever became of it:
 * daemon/pub/record.c, and what a start reads out of it, recall.c, open_calls.c
 *
 * Input: a segment file.  Bytes that are changed anywhere break a sum, so the
 * mutator of our own changes what is in the records and sums them anew; one
 * time in four it leaves the sum as it was, as a disk does.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/must.h"
#include "daemon/pub/bare.h"
#include "daemon/pub/open_calls.h"
#include "daemon/pub/recall.h"
#include "daemon/pub/record.h"
#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed);

struct recalled {
	struct open_calls *open;
	uint64_t seq;
};

static void on_recalled(const struct event *e, void *arg)
{
	const struct recalled *r = arg;

	must(e->call && strlen(e->call) < EVENT_ID);
	must(!e->leg || strlen(e->leg) < EVENT_ID);
	open_calls_event(r->open, e, r->seq);
}

/* What is told must hold for any journal: the account, and one end each. */
static void on_closed(const struct event *e, void *arg)
{
	const struct event_leg_end *l = &e->leg_end;
	int *open = arg;

	if (e->type == EVENT_GAP)
		must(e->gap.start < e->gap.end);
	if (e->type == EVENT_LEG_END) {
		must(l->received == l->sent + l->lost + l->paused);
		must(l->received <= l->duration);
	}
	*open -= e->type == EVENT_CALL_END;
}

static bool same_again(const char *key, const char *line, size_t len, void *arg)
{
	must(key && strlen(key) < EVENT_ID);
	must(!open_calls_restore(arg, line, len));
	return true;
}

static void take(struct open_calls *o, const struct record *r)
{
	struct recalled to = { o, r->seq };
	struct buf bare = {0};

	must(strlen(r->key) < 256);
	if (r->kind == RECORD_OPEN)
		(void)open_calls_restore(o, r->line, r->len);
	else if (r->kind < RECORD_EVENTS)
		(void)recall_line(r->line, r->len, r->at_us, on_recalled, &to);
	const int err = bare_line(&bare, r->line, r->len);
	must(err == 0 || (err == -EBADMSG && bare.len == 0));
	buf_free(&bare);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct segment_head head;
	struct open_calls *o, *again;
	struct record r;
	size_t n = 0;

	must(!open_calls_new(&o) && !open_calls_new(&again));
	const bool good = !segment_head_get(&head, data, len);
	const size_t begin = MIN(len, (size_t)SEGMENT_HEAD);
	uint8_t *copy = malloc(len - begin + 1);
	must(copy);
	memcpy(copy, data + begin, len - begin);
	struct record_scan s = { .data = copy, .len = len - begin, .next = 1,
				 .end = INT64_MAX };
	uint64_t before = s.next;
	while (record_scan(&s, &r)) {
		must(r.seq >= before && s.at <= s.len);
		must((const uint8_t *)r.line + r.len == copy + s.at);
		before = s.next;
		take(o, &r);
		n++;
	}
	int open = (int)open_calls_count(o);
	const struct event_sink sink = { on_closed, &open };
	must(open_calls_print(o, same_again, again));
	must(open_calls_count(again) == (size_t)open);
	open_calls_close(o, 1700000011000000, 1700000060000000, &sink);
	must(open == 0 && open_calls_count(o) == 0);
	open_calls_free(o);
	open_calls_free(again);
	free(copy);
	fuzz_count_input(good && n > 0);
	return 0;
}

/* One record out of some; its line mutated, or its numbers. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	struct { size_t at, n; struct record r; } all[64];
	struct buf out = {0};
	uint8_t line[2048];
	size_t count = 0;

	if (seed % 8 == 0 || size <= SEGMENT_HEAD)
		return LLVMFuzzerMutate(data, size, max);
	for (size_t at = SEGMENT_HEAD; count < ARRAY_LEN(all); count++) {
		const int n = record_get(&all[count].r, data + at, size - at);
		if (n <= 0)
			break;
		all[count].at = at;
		all[count].n = (size_t)n;
		at += (size_t)n;
	}
	if (!count)
		return LLVMFuzzerMutate(data, size, max);
	const size_t i = seed / 8 % count;
	struct record r = all[i].r;
	size_t len = MIN(r.len, sizeof(line));
	memcpy(line, r.line, len);
	switch (seed / 512 % 4) {
	case 0:
		r.seq += seed / 2048 % 5;
		break;
	case 1:
		r.kind = (uint8_t)(seed / 2048 % RECORD_KINDS);
		break;
	default:
		len = LLVMFuzzerMutate(line, len, sizeof(line));
	}
	r.line = (const char *)line;
	r.len = len;
	buf_add(&out, data, all[i].at);
	uint8_t *to = buf_room(&out, record_size(&r));
	must(to);
	out.len += record_put(to, &r);
	if (seed / 2048 % 4 == 3) /* the sum is not of it */
		out.data[all[i].at + 5] ^= 1;
	buf_add(&out, data + all[i].at + all[i].n, size - all[i].at - all[i].n);
	size = MIN(out.len, max);
	memcpy(data, out.data, size);
	buf_free(&out);
	return size;
}
