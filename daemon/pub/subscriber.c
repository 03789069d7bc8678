/** @file subscriber.c  One connection of the event socket */
#include "daemon/pub/subscriber.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/net/now.h"
#include "daemon/net/unix.h"
#include "daemon/pub/say.h"

enum {
	TURN = 32 * 1024,   /* Bytes handed out in one turn of the loop ... */
	SMALL = 64,         /* ... and what one passed over counts for */
	HOLD_TICKS = 2,
	HEARTBEAT_TICKS = 50,
	STALLED_TICKS = 600,
	FLOOD_TICKS = 10,
	FLOOD_LINES = 100,
	BAD_LINES = 10,
};

struct subscriber {
	struct list in;
	struct subscribers *all;
	struct unix_conn *conn;
	struct request choice;
	struct named *named;
	bool chosen, started;
	uint64_t begin;      /* What `hello` called next */
	uint64_t cursor;     /* The next event to look at */
	uint64_t partials;   /* Version of the last partial it got */
	uint64_t acked;      /* All up to this one are */
	uint64_t window[SUBSCRIBER_WINDOW]; /* Delivered, not acknowledged */
	unsigned oldest, unacked;
	unsigned age, stalled, lines, bad; /* Ticks; lines */
	size_t in_len;
	char line[REQUEST_LINE_MAX + 1];
};

static void end(struct subscriber *s)
{
	struct subscribers *all = s->all;

	if (s->named)
		s->named->holder = NULL;
	subscribers_keep(all);
	list_remove(&s->in);
	all->stats.connected--;
	free(s);
	subscribers_changed(all);
}

static void put(struct subscriber *s, struct buf *line)
{
	if (!line->err)
		(void)unix_put(s->conn, line->data, line->len);
	buf_free(line);
}

static void hello(struct subscriber *s)
{
	struct buf line = {0};

	say_hello(&line, now_wall_us(), s->all->journal);
	put(s, &line);
}

static void error(struct subscriber *s, const char *text)
{
	struct buf line = {0};

	say_error(&line, now_wall_us(), text);
	put(s, &line);
}

static void lost(struct subscriber *s, uint64_t from, uint64_t to)
{
	struct buf line = {0};

	say_lost(&line, now_wall_us(), from, to);
	put(s, &line);
	s->all->stats.lost += to - from + 1;
}

void subscriber_bye(struct subscriber *s, const char *reason)
{
	struct buf line = {0};

	say_bye(&line, now_wall_us(), reason);
	put(s, &line);
	unix_finish(s->conn);
	end(s);
}

/* -- delivery -------------------------------------------------------------- */

static bool window_full(const struct subscriber *s)
{
	return s->choice.ack && s->unacked == SUBSCRIBER_WINDOW;
}

static void window_add(struct subscriber *s, uint64_t seq)
{
	s->window[(s->oldest + s->unacked++) % SUBSCRIBER_WINDOW] = seq;
}

static void window_settle(struct subscriber *s, uint64_t seq)
{
	while (s->unacked && s->window[s->oldest] <= seq) {
		s->oldest = (s->oldest + 1) % SUBSCRIBER_WINDOW;
		s->unacked--;
	}
}

/* Where it goes on if it comes back by its name. */
static void remember(struct subscriber *s)
{
	const uint64_t next = s->choice.ack ? s->acked + 1 : s->cursor;

	if (!s->named || next == s->named->next ||
	    (!s->choice.ack && unix_queued(s->conn)))
		return;
	s->named->next = next;
	s->all->moved = true;
}

/* One event, or one announcement.  @return what it cost [bytes], or -errno */
static int step(struct subscriber *s)
{
	struct journal *j = s->all->journal;
	const uint64_t first = journal_first(j);
	struct journal_line l;

	if (s->cursor < first) {
		lost(s, s->cursor, first - 1);
		s->cursor = first;
		return SMALL;
	}
	int err = journal_read(j, s->cursor, &l);
	if (err == -EAGAIN)
		return err;
	if (err) {
		const uint64_t after = journal_after(j, s->cursor);
		lost(s, s->cursor, after - 1);
		s->cursor = after;
		return SMALL;
	}
	if (!request_wants(&s->choice, l.type, l.key)) {
		s->cursor++;
		return SMALL;
	}
	err = unix_put(s->conn, l.text, l.len);
	if (err)
		return err;
	if (s->choice.ack)
		window_add(s, s->cursor);
	s->cursor++;
	return (int)l.len;
}

static bool give_partial(const struct journal_line *l, void *arg)
{
	struct subscriber *s = arg;

	if (unix_queued(s->conn) >= SUBSCRIBER_OUT)
		return false;
	if (l->type == EVENT_SEGMENT && !s->choice.partials)
		return true;
	return !request_wants(&s->choice, l->type, l->key) ||
	       !unix_put(s->conn, l->text, l->len);
}

size_t subscriber_pump(struct subscriber *s)
{
	const uint64_t next = journal_next(s->all->journal);
	size_t given = 0;

	if (!s->started)
		return 0;
	while (s->cursor < next && !window_full(s) &&
	       unix_queued(s->conn) < SUBSCRIBER_OUT) {
		if (given >= TURN) {
			/* others, and the audio, have their turn first */
			subscribers_wake(s->all);
			break;
		}
		const int n = step(s);
		if (n < 0)
			break; /* it is fetched, and somebody wakes us; or no
				  memory: the next tick tries again */
		given += (size_t)n;
	}
	unix_flush(s->conn);
	if (s->cursor == next && !unix_queued(s->conn)) {
		s->partials = latest_each(s->all->latest, s->partials,
					  give_partial, s);
		unix_flush(s->conn);
	}
	remember(s);
	return given;
}

/* -- what it says ---------------------------------------------------------- */

/* @return the cursor to begin at; `*reset`: not what it asked for */
static uint64_t place(struct subscriber *s, bool *reset)
{
	const struct journal *j = s->all->journal;
	const struct request *r = &s->choice;

	*reset = false;
	switch (r->from) {
	case FROM_OLDEST:
		return journal_first(j);
	case FROM_RESUME:
		*reset = s->named->reset;
		s->named->reset = false;
		return s->named->next ? s->named->next : journal_first(j);
	case FROM_SEQ:
		if (r->epoch == journal_epoch(j) && r->seq <= journal_next(j))
			return r->seq;
		*reset = true;
		return r->epoch == journal_epoch(j) ? journal_next(j)
						    : journal_first(j);
	default:
		return s->started ? s->cursor : s->begin;
	}
}

static int take_name(struct subscriber *s, const char *name)
{
	if (!*name)
		return 0;
	struct named *n = names_use(&s->all->names, name);
	if (!n)
		return -ENOMEM;
	if (n->holder) {
		struct subscriber *other = n->holder;
		other->named = NULL;
		n->holder = NULL;
		subscriber_bye(other, "replaced");
	}
	n->holder = s;
	s->named = n;
	return 0;
}

static const char *choose(struct subscriber *s, const struct request *r)
{
	bool reset;

	if (s->chosen)
		return "already chosen; connect again to choose anew";
	if (take_name(s, r->name))
		return "no room for another name; use one that exists";
	s->choice = *r;
	s->chosen = true;

	const uint64_t cursor = place(s, &reset);
	if (s->started && cursor != s->cursor)
		hello(s); /* what follows is not what comes next */
	s->cursor = cursor;
	s->acked = cursor - 1;
	if (reset) {
		struct buf line = {0};
		say_reset(&line, now_wall_us(),
			  journal_epoch(s->all->journal), cursor);
		put(s, &line);
	}
	subscribers_changed(s->all);
	subscriber_start(s);
	return NULL;
}

static const char *acknowledge(struct subscriber *s, uint64_t seq)
{
	if (!s->choice.ack)
		return "ack: say {\"hello\":1,\"ack\":true} first";
	if (seq >= s->cursor)
		return "ack: this seq was not sent yet";
	if (seq <= s->acked)
		return NULL;
	s->acked = seq;
	s->stalled = 0;
	if (s->lines)
		s->lines--; /* one that moves on is no flood */
	window_settle(s, seq);
	remember(s);
	subscribers_wake(s->all);
	return NULL;
}

/* @return false: `s` is gone */
static bool on_line(struct subscriber *s, size_t len)
{
	char text[REQUEST_ERROR];
	const char *wrong = text;
	struct request r;

	if (len && s->line[len - 1] == '\r')
		len--;
	s->lines++;
	if (len && !request_parse(&r, s->line, len, text))
		wrong = r.kind == REQUEST_ACK ? acknowledge(s, r.ack_seq)
					      : choose(s, &r);
	else if (!len)
		wrong = NULL;
	if (wrong) {
		error(s, wrong);
		s->bad++;
	}
	if (s->bad < BAD_LINES && s->lines <= FLOOD_LINES) {
		unix_flush(s->conn);
		return true;
	}
	s->all->stats.bad++;
	subscriber_bye(s, s->bad < BAD_LINES ? "flood" : "bad_lines");
	return false;
}

static void on_received(const uint8_t *data, size_t len, void *arg)
{
	struct subscriber *s = arg;

	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n') {
			const size_t n = s->in_len;
			s->in_len = 0;
			if (!on_line(s, n))
				return;
		} else if (s->in_len < REQUEST_LINE_MAX) {
			s->line[s->in_len++] = (char)data[i];
		} else {
			error(s, "a line has at most 4096 bytes");
			s->all->stats.bad++;
			subscriber_bye(s, "bad_lines");
			return;
		}
	}
}

void subscriber_start(struct subscriber *s)
{
	s->started = true;
	subscribers_wake(s->all);
}

static void on_ended(void *arg)
{
	subscriber_start(arg);
}

static void on_writable(void *arg)
{
	struct subscriber *s = arg;

	s->stalled = 0;
	subscriber_pump(s);
}

static void on_closed(int err, void *arg)
{
	struct subscriber *s = arg;

	(void)err; /* subscribers come and go; status tells how many */
	unix_close(s->conn);
	end(s);
}

void subscriber_tick(struct subscriber *s)
{
	const bool waits = s->choice.ack &&
			   s->cursor < journal_next(s->all->journal);

	s->age++;
	if (!s->started && s->age >= HOLD_TICKS)
		subscriber_start(s);
	if (s->age % FLOOD_TICKS == 0)
		s->lines = 0;
	s->stalled = waits ? s->stalled + 1 : 0;
	if (s->stalled >= STALLED_TICKS) {
		s->all->stats.stalled++;
		subscriber_bye(s, "stalled");
		return;
	}
	if (s->started && s->age % HEARTBEAT_TICKS == 0 &&
	    !unix_queued(s->conn)) {
		struct buf line = {0};
		say_heartbeat(&line, now_wall_us(), s->cursor);
		put(s, &line);
		unix_flush(s->conn);
	}
}

bool subscriber_wants_partials(const struct subscriber *s)
{
	const uint32_t speech = (uint32_t)1 << EVENT_SPEECH;
	const uint32_t segment = (uint32_t)1 << EVENT_SEGMENT;

	return s->choice.types & speech ||
	       (s->choice.partials && s->choice.types & segment);
}

struct subscriber *subscriber_of(struct list *item)
{
	return list_item(item, struct subscriber, in);
}

struct subscriber *subscriber_new(struct subscribers *all, struct unix_conn *c)
{
	static const struct unix_conn_cb cb = {
		.received = on_received, .ended = on_ended,
		.writable = on_writable, .closed = on_closed };
	struct subscriber *s = calloc(1, sizeof(*s));

	if (!s) {
		unix_close(c);
		return NULL;
	}
	s->all = all;
	s->conn = c;
	s->begin = s->cursor = journal_next(all->journal);
	s->partials = latest_version(all->latest);
	request_default(&s->choice);
	list_add(&all->all, &s->in);
	all->stats.accepted++;
	all->stats.connected++;
	unix_start(c, &cb, s);
	hello(s);
	unix_flush(c);
	return s;
}
