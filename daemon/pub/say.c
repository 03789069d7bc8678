/** @file say.c  The lines of the event socket that are no events */
#include "daemon/pub/say.h"

#include <inttypes.h>
#include <stdio.h>

#include "daemon/base/wall.h"
#include "daemon/pub/journal.h"
#include "daemon/pub/line.h"
#include "daemon/pub/writer.h"

static struct writer begin(struct buf *out, uint64_t now_us, const char *type)
{
	struct writer w = { .out = out };
	char ts[WALL_TEXT];

	writer_open(&w, NULL, '{');
	writer_uint(&w, "v", 1);
	writer_str(&w, "type", type, LINE_STRING_MAX);
	writer_str(&w, "ts", wall_print(ts, now_us), LINE_STRING_MAX);
	return w;
}

static void end(struct writer *w)
{
	writer_close(w, '}');
	buf_puts(w->out, "\n");
}

static void epoch_field(struct writer *w, uint64_t epoch)
{
	char text[24];

	snprintf(text, sizeof(text), "%016" PRIx64, epoch);
	writer_str(w, "epoch", text, LINE_STRING_MAX);
}

void say_hello(struct buf *out, uint64_t now_us, const struct journal *j)
{
	struct writer w = begin(out, now_us, "hello");

	epoch_field(&w, journal_epoch(j));
	writer_uint(&w, "first", journal_first(j));
	writer_uint(&w, "next", journal_next(j));
	writer_str(&w, "version", TRUNKSCRIBE_VERSION, LINE_STRING_MAX);
	end(&w);
}

void say_heartbeat(struct buf *out, uint64_t now_us, uint64_t next)
{
	struct writer w = begin(out, now_us, "heartbeat");

	writer_uint(&w, "next", next);
	end(&w);
}

void say_reset(struct buf *out, uint64_t now_us, uint64_t epoch, uint64_t next)
{
	struct writer w = begin(out, now_us, "reset");

	epoch_field(&w, epoch);
	writer_uint(&w, "next", next);
	end(&w);
}

void say_lost(struct buf *out, uint64_t now_us, uint64_t from, uint64_t to)
{
	struct writer w = begin(out, now_us, "lost");

	writer_uint(&w, "from", from);
	writer_uint(&w, "to", to);
	end(&w);
}

void say_error(struct buf *out, uint64_t now_us, const char *text)
{
	struct writer w = begin(out, now_us, "error");

	writer_str(&w, "error", text, LINE_STRING_MAX);
	end(&w);
}

void say_bye(struct buf *out, uint64_t now_us, const char *reason)
{
	struct writer w = begin(out, now_us, "bye");

	writer_str(&w, "reason", reason, LINE_STRING_MAX);
	end(&w);
}
