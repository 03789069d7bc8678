/** @file reorder.c  The reorder window of one RTP stream */
#include "daemon/media/reorder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1, REMEMBERED = 128 };

static int16_t list_pop(struct reorder *q, struct reorder_list *l)
{
	const int16_t i = l->head;

	if (i != NONE) {
		l->head = q->slot[i].next;
		if (l->head == NONE)
			l->tail = NONE;
	}
	return i;
}

static void list_append(struct reorder *q, struct reorder_list *l, int16_t i)
{
	q->slot[i].next = NONE;
	if (l->tail == NONE)
		l->head = i;
	else
		q->slot[l->tail].next = i;
	l->tail = i;
}

/* Free slots are a stack, so the few that are used stay the same few pages. */
static void slot_free(struct reorder *q, int16_t i)
{
	if (i == NONE)
		return;
	q->slot[i].next = q->free.head;
	q->free.head = i;
}

static int16_t slot_take(struct reorder *q)
{
	const int16_t i = q->free.head;

	if (i != NONE)
		q->free.head = q->slot[i].next;
	return i;
}

static void slot_fill(struct reorder *q, int16_t i,
		      const struct reorder_packet *p)
{
	uint8_t *bytes = q->bytes + (size_t)i * REORDER_PAYLOAD_MAX;

	q->slot[i].p = *p;
	q->slot[i].p.h.payload = bytes;
	if (p->h.len)
		memcpy(bytes, p->h.payload, p->h.len);
}

static void look_idle(struct reorder *q)
{
	q->idle = q->ready.head == NONE && q->held.head == NONE &&
		  q->suspect == NONE && !q->pending;
}

int reorder_init(struct reorder *q, uint32_t window_us)
{
	/* not cleared: pages that are never used are never touched */
	uint8_t *bytes = malloc((size_t)REORDER_SLOTS * REORDER_PAYLOAD_MAX);

	if (!bytes)
		return -ENOMEM;

	memset(q, 0, sizeof(*q));
	q->bytes = bytes;
	q->window_us = window_us;
	q->ready = q->held = q->free = (struct reorder_list){ NONE, NONE };
	q->suspect = q->lent = NONE;
	for (int16_t i = REORDER_SLOTS; i-- > 0; )
		slot_free(q, i);
	q->idle = true;
	return 0;
}

void reorder_close(struct reorder *q)
{
	free(q->bytes);
	q->bytes = NULL;
}

/* One of the last REMEMBERED numbers. */
static uint64_t *memory_of(struct reorder *q, uint16_t seq)
{
	return &q->got[seq >> 6 & 1];
}

static uint64_t bit_of(uint16_t seq)
{
	return 1ull << (seq & 63);
}

static void remember(struct reorder *q, uint16_t seq)
{
	*memory_of(q, seq) |= bit_of(seq);
}

static void forget(struct reorder *q, uint16_t seq)
{
	*memory_of(q, seq) &= ~bit_of(seq);
}

static bool remembers(struct reorder *q, uint16_t seq)
{
	return *memory_of(q, seq) & bit_of(seq);
}

static void count_span(struct reorder *q, uint32_t n)
{
	q->span = q->span + n < REMEMBERED ? q->span + n : REMEMBERED;
}

/* Its turn has come: what is said of it is settled now. */
static void settle(struct reorder *q, struct reorder_packet *p)
{
	p->joint = q->joint;
	q->joint = REORDER_FOLLOWS;
	q->next  = (uint16_t)(p->h.seq + 1);
	q->received++;
	remember(q, p->h.seq);
	count_span(q, 1);
}

/* The run at the head of the held packets has no hole before it any more. */
static void release_run(struct reorder *q)
{
	while (q->held.head != NONE &&
	       q->slot[q->held.head].p.h.seq == q->next) {
		const int16_t i = list_pop(q, &q->held);

		settle(q, &q->slot[i].p);
		list_append(q, &q->ready, i);
	}

	q->since_us = UINT64_MAX;
	for (int16_t i = q->held.head; i != NONE; i = q->slot[i].next) {
		if (q->slot[i].p.at_us < q->since_us)
			q->since_us = q->slot[i].p.at_us;
	}
}

static void give_up_hole(struct reorder *q)
{
	struct reorder_packet *p = &q->slot[q->held.head].p;

	if (q->running) {
		const uint32_t n = (uint16_t)(p->h.seq - q->next);

		p->missing = n;
		q->lost += n;
		count_span(q, n);
		for (uint32_t k = 1; k <= n && k <= REMEMBERED; k++)
			forget(q, (uint16_t)(p->h.seq - k));
	}
	q->running = true;
	q->next = p->h.seq;
	release_run(q);
}

static void expire(struct reorder *q, uint64_t now_us)
{
	while (q->held.head != NONE && now_us >= q->since_us &&
	       now_us - q->since_us >= q->window_us)
		give_up_hole(q);
}

void reorder_flush(struct reorder *q)
{
	while (q->held.head != NONE)
		give_up_hole(q);
}

/* A sequence begins: nothing is known of what lies before it. */
static void begin(struct reorder *q, enum reorder_joint joint, uint16_t seq)
{
	reorder_flush(q);
	q->joint = joint;
	q->next  = seq;
	q->span  = 0;
	q->got[0] = q->got[1] = 0;
	q->running = joint == REORDER_JUMP;
}

static void drop_suspect(struct reorder *q)
{
	if (q->suspect == NONE)
		return;
	q->late++;
	slot_free(q, q->suspect);
	q->suspect = NONE;
}

/* Ready now, behind all that is ready already. */
static void make_ready(struct reorder *q, int16_t i)
{
	settle(q, &q->slot[i].p);
	list_append(q, &q->ready, i);
}

static int after_suspect(const struct reorder *q, uint16_t seq)
{
	return rtp_seq_diff(seq, q->slot[q->suspect].p.h.seq);
}

static int put_jump(struct reorder *q, const struct reorder_packet *p,
		    int ahead)
{
	const int after = q->suspect == NONE ? -1 :
			  after_suspect(q, p->h.seq);

	if (after == 0) {
		q->duplicate++;
		return -EALREADY;
	}
	const int16_t i = slot_take(q);
	if (i == NONE)
		return -ENOBUFS;
	slot_fill(q, i, p);

	if (after != 1) {
		drop_suspect(q);
		q->slot[i].p.missing = ahead > 0 ? (uint32_t)ahead : 0;
		q->suspect = i;
		return 0;
	}

	const int16_t first = q->suspect;
	q->suspect = NONE;
	begin(q, REORDER_JUMP, q->slot[first].p.h.seq);
	make_ready(q, first);
	make_ready(q, i);
	return 0;
}

static int put_behind(struct reorder *q, uint16_t seq, int ahead)
{
	if ((uint32_t)-ahead > q->span) {      /* before the first of all */
		q->late++;
		return -ETIMEDOUT;
	}
	if (remembers(q, seq)) {
		q->duplicate++;
		return -EALREADY;
	}

	remember(q, seq);
	q->received++;
	q->lost--;
	q->late++;
	return -ETIMEDOUT;
}

/* Into the held ones, by number: after the last lower one. */
static int hold(struct reorder *q, const struct reorder_packet *p)
{
	int16_t before = NONE;
	int16_t after = q->held.head;

	while (after != NONE &&
	       rtp_seq_diff(q->slot[after].p.h.seq, p->h.seq) < 0) {
		before = after;
		after = q->slot[after].next;
	}
	if (after != NONE && q->slot[after].p.h.seq == p->h.seq) {
		q->duplicate++;
		return -EALREADY;
	}

	const int16_t i = slot_take(q);
	if (i == NONE)
		return -ENOBUFS;
	slot_fill(q, i, p);

	if (q->held.head == NONE)
		q->since_us = p->at_us;
	if (after == NONE) {
		drop_suspect(q);
		list_append(q, &q->held, i);
		return 0;
	}
	q->reordered++;
	q->slot[i].next = after;
	if (before == NONE)
		q->held.head = i;
	else
		q->slot[before].next = i;
	return 0;
}

/* The number that was waited for, or the next one. */
static int put_next(struct reorder *q, const struct reorder_packet *p)
{
	if (q->held.head != NONE)
		q->reordered++;
	else
		drop_suspect(q);

	if (q->ready.head == NONE && !q->pending) {
		q->direct = *p;
		settle(q, &q->direct);
		q->pending = true;
	} else {
		const int16_t i = slot_take(q);

		if (i == NONE)
			return -ENOBUFS;
		slot_fill(q, i, p);
		make_ready(q, i);
	}
	release_run(q);
	return 0;
}

static int put_slowly(struct reorder *q, const struct reorder_packet *p)
{
	if (!q->started || p->h.ssrc != q->ssrc) {
		drop_suspect(q);
		begin(q, REORDER_SSRC, p->h.seq);
		q->started = true;
		q->ssrc = p->h.ssrc;
	}

	expire(q, p->at_us);
	const int ahead = rtp_seq_diff(p->h.seq, q->next);
	if (ahead >= MAX_DROPOUT || ahead < -MAX_MISORDER ||
	    (q->suspect != NONE && after_suspect(q, p->h.seq) == 1))
		return put_jump(q, p, ahead);
	if (!q->running) {
		const int err = hold(q, p);

		if (!err && ahead < 0)
			q->next = p->h.seq;
		return err;
	}
	if (ahead < 0)
		return put_behind(q, p->h.seq, ahead);
	return ahead ? hold(q, p) : put_next(q, p);
}

void reorder_keep_ready(struct reorder *q)
{
	if (!q->pending)
		return;
	const int16_t i = slot_take(q);
	if (i == NONE) {                 /* its samples are lost, its place
					    is not */
		q->direct.h.len = 0;
		return;
	}

	slot_fill(q, i, &q->direct);
	q->slot[i].next = q->ready.head;
	if (q->ready.head == NONE)
		q->ready.tail = i;
	q->ready.head = i;
	q->pending = false;
}

int reorder_put(struct reorder *q, const struct rtp *h, uint8_t kind,
		uint64_t at_us)
{
	if (q->idle && q->running && h->seq == q->next && h->ssrc == q->ssrc) {
		q->direct.h = *h;
		q->direct.kind = kind;
		q->direct.at_us = at_us;
		settle(q, &q->direct);
		q->pending = true;
		q->idle = false;
		return 0;
	}

	const struct reorder_packet p = { .h = *h, .kind = kind,
					  .at_us = at_us };
	reorder_keep_ready(q);
	const int err = put_slowly(q, &p);
	/* One slot stays free, for the packet that ends the wait. */
	if (q->free.head != NONE && q->slot[q->free.head].next == NONE &&
	    q->held.head != NONE)
		give_up_hole(q);
	look_idle(q);
	return err;
}

int reorder_next(struct reorder *q, struct reorder_packet *out,
		 uint64_t now_us)
{
	if (q->lent != NONE) {
		slot_free(q, q->lent);
		q->lent = NONE;
	}
	if (q->pending) {
		*out = q->direct;
		q->pending = false;
		look_idle(q);
		return 1;
	}
	if (q->idle)
		return 0;

	expire(q, now_us);
	q->lent = list_pop(q, &q->ready);
	look_idle(q);
	if (q->lent == NONE)
		return 0;
	*out = q->slot[q->lent].p;
	return 1;
}

uint64_t reorder_deadline_us(const struct reorder *q)
{
	return q->held.head == NONE ? UINT64_MAX : q->since_us + q->window_us;
}

int reorder_keep(struct reorder *q, const uint8_t **data, size_t len)
{
	if (q->lent != NONE)
		return 0;
	q->lent = slot_take(q);
	if (q->lent == NONE)
		return -ENOBUFS;

	uint8_t *bytes = q->bytes + (size_t)q->lent * REORDER_PAYLOAD_MAX;
	memcpy(bytes, *data, len);
	*data = bytes;
	return 0;
}
