/**
 * @file fuzz_frames.c  A websocket's bytes through our reader
 *
 * Input: one byte (bit 0: we are the server; the rest: size of the pieces),
 * then what the peer sends.  wslay is not instrumented, so a mutator of our own
 * works on whole frames: it takes them apart, changes one, repeats, swaps and
 * drops them and writes them again.  The verdict must not depend on the pieces.
 */
#include <errno.h>
#include <string.h>

#include "daemon/base/hash.h"
#include "daemon/base/must.h"
#include "daemon/base/utf8.h"
#include "daemon/ws/frames.h"
#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed);

struct heard {
	uint64_t sum;
	size_t messages, dropped;
};

static void on_message(bool text, const uint8_t *data, size_t len, void *arg)
{
	struct heard *h = arg;

	must(len <= FRAMES_MESSAGE);
	must(!text || utf8_valid((const char *)data, len));
	h->sum = hash_mix(h->sum, hash_bytes(data, len) + text);
	h->messages++;
}

static void on_dropped(size_t len, void *arg)
{
	struct heard *h = arg;

	must(len > FRAMES_MESSAGE && len <= FRAMES_MAX);
	h->dropped++;
}

static void no_chance(uint8_t *out, size_t len, void *arg)
{
	(void)arg;
	memset(out, 0x5a, len);
}

struct outcome {
	struct heard heard;
	struct frames_end end;
	int result;
	size_t answered;
};

static void run(struct outcome *o, bool server, const uint8_t *data, size_t len,
		size_t piece)
{
	static const struct frames_cb cb = { on_message, on_dropped };
	struct buf out = {0};
	struct frames *f;

	memset(o, 0, sizeof(*o));
	must(!frames_new(&f, server, no_chance, &cb, &o->heard));
	for (size_t at = 0; at < len && o->result == 0; at += piece) {
		const size_t n = piece < len - at ? piece : len - at;
		uint8_t *exact = malloc(n);

		must(exact);
		memcpy(exact, data + at, n);
		o->result = frames_feed(f, exact, n, 7, &o->end);
		free(exact);
	}
	must(o->result == 0 || o->result == 1 || o->result == -EPROTO);
	if (o->result == 1)
		must(o->end.code == 1005 || frames_close_code(o->end.code));
	if (o->result < 0)
		must(o->end.code == 1002 || (o->end.code >= 1007 &&
					     o->end.code <= 1009));
	must(utf8_valid(o->end.text, strlen(o->end.text)));
	must(!frames_pongs(f, &out));
	must(out.len <= FRAMES_PONGS * (size_t)(6 + 125));
	must(!frames_close(f, o->end.code, o->end.text, &out));
	o->answered = out.len;
	frames_free(f);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct outcome a, b;

	if (len < 1)
		return 0;
	run(&a, data[0] & 1, data + 1, len - 1, len);
	run(&b, data[0] & 1, data + 1, len - 1, data[0] / 2u + 1);
	must(a.result == b.result);
	must(a.end.code == b.end.code && !strcmp(a.end.text, b.end.text));
	must(a.answered == b.answered);
	must(a.heard.sum == b.heard.sum &&
	     a.heard.messages == b.heard.messages &&
	     a.heard.dropped == b.heard.dropped);
	fuzz_count_input(a.heard.messages || a.heard.dropped || a.result == 1);
	return 0;
}

/* -- mutation by frames ---------------------------------------------------- */

enum { FRAMES = 64, SCRATCH = 1 << 16 };

struct frame {
	uint8_t first;    /* FIN, RSV, opcode */
	uint64_t announced;
	size_t at, len;   /* payload in the scratch, unmasked */
};

static struct frame list[FRAMES];
static size_t n_list;
static uint8_t scratch[SCRATCH];
static size_t n_scratch;

static uint32_t next(uint32_t *r)
{
	*r = *r * 1664525u + 1013904223u;
	return *r >> 8;
}

/* One frame off the front; false when the rest is no whole header. */
static bool take(const uint8_t **p, size_t *left, struct frame *f)
{
	const bool masked = *left > 1 && ((*p)[1] & 0x80);
	size_t n = 2, wide;
	uint8_t mask[4] = {0};

	if (*left < 2)
		return false;
	f->first = (*p)[0];
	f->announced = (*p)[1] & 0x7f;
	wide = f->announced == 126 ? 2 : f->announced == 127 ? 8 : 0;
	if (*left < n + wide + (masked ? 4 : 0))
		return false;
	if (wide)
		f->announced = 0;
	for (size_t i = 0; i < wide; i++)
		f->announced = f->announced << 8 | (*p)[n++];
	if (masked) {
		memcpy(mask, *p + n, 4);
		n += 4;
	}
	*p += n;
	*left -= n;
	f->len = f->announced < *left ? (size_t)f->announced : *left;
	if (f->len > SCRATCH - n_scratch)
		return false;
	f->at = n_scratch;
	for (size_t i = 0; i < f->len; i++)
		scratch[n_scratch++] = (*p)[i] ^ mask[i % 4];
	*p += f->len;
	*left -= f->len;
	return true;
}

static size_t write_frame(uint8_t *out, size_t max, const struct frame *f,
			  bool masked)
{
	size_t n = 2;

	if (max < 14 || f->len > max - 14)
		return 0;
	out[0] = f->first;
	if (f->announced < 126) {
		out[1] = (uint8_t)f->announced;
	} else {
		const unsigned wide = f->announced < 65536 ? 2 : 8;

		out[1] = wide == 2 ? 126 : 127;
		for (unsigned i = wide; i-- > 0;)
			out[n++] = (uint8_t)(f->announced >> 8 * i);
	}
	if (masked) {
		static const uint8_t mask[4] = { 1, 2, 3, 4 };

		out[1] |= 0x80;
		memcpy(out + n, mask, 4);
		n += 4;
		for (size_t i = 0; i < f->len; i++)
			out[n + i] = scratch[f->at + i] ^ mask[i % 4];
	} else {
		memcpy(out + n, scratch + f->at, f->len);
	}
	return n + f->len;
}

static void add(size_t where, uint8_t first_byte, const char *payload,
		size_t len)
{
	if (n_list == FRAMES || len > SCRATCH - n_scratch)
		return;
	memmove(list + where + 1, list + where,
		(n_list - where) * sizeof(list[0]));
	list[where] = (struct frame){ .first = first_byte, .announced = len,
				      .at = n_scratch, .len = len };
	memcpy(scratch + n_scratch, payload, len);
	n_scratch += len;
	n_list++;
}

static const struct {
	uint8_t first;
	const char *payload;
	size_t len;
} stock[] = {
#define STOCK(first, payload) { first, payload, sizeof(payload) - 1 }
	STOCK(0x81, "{\"type\":\"partial\",\"text\":\"ok\"}"), STOCK(0x81, ""),
	STOCK(0x82, "\0\1\2\3"), STOCK(0x82, ""), STOCK(0x01, "part"),
	STOCK(0x01, "\xe2\x82"), STOCK(0x02, "part"), STOCK(0x00, "more"),
	STOCK(0x00, "\xac"), STOCK(0x00, ""), STOCK(0x80, "end"),
	STOCK(0x80, "\xac"), STOCK(0x80, ""), STOCK(0x89, ""),
	STOCK(0x89, "ping"), STOCK(0x8a, "pong"), STOCK(0x88, ""),
	STOCK(0x88, "\x03\xe8"), STOCK(0x88, "\x03\xf4" "again"),
	STOCK(0x88, "\x03\xf5\xc3\xbc"), STOCK(0x88, "\x0b\xb8"),
	STOCK(0x88, "\x03"), STOCK(0x88, "\x03\xed"),
	STOCK(0x88, "\x03\xe8\xe2\x82"), STOCK(0x88, "\x03\xe8\x1b[2J"),
	STOCK(0xc1, "rsv"), STOCK(0x83, "opcode"), STOCK(0x09, "fragment"),
	STOCK(0x81, "\xff"), STOCK(0x81, "\xed\xa0\x80"),
};

static void read_frames(const uint8_t *data, size_t size)
{
	n_list = n_scratch = 0;
	while (n_list < FRAMES && take(&data, &size, &list[n_list]))
		n_list++;
}

static void change_frame(struct frame *f, uint32_t *r)
{
	static const uint64_t lengths[] = {
		0, 1, 125, 126, 127, 65535, 65536, 262144, 262145, 4194304,
		4194305, 1u << 30, (uint64_t)1 << 63,
	};

	switch (next(r) % 6) {
	case 0:
		f->first ^= (uint8_t)(1u << next(r) % 8);
		break;
	case 1:
		f->first ^= 0x80; /* FIN */
		break;
	case 2:
		f->announced = lengths[next(r) %
				       (sizeof(lengths) / sizeof(lengths[0]))];
		break;
	case 3:
		if (f->len)
			scratch[f->at + next(r) % f->len] = (uint8_t)next(r);
		break;
	case 4: { /* a long one of its kind */
		const size_t n = 100 + next(r) % 400;

		if (n <= SCRATCH - n_scratch) {
			memset(scratch + n_scratch, 'x', n);
			f->at = n_scratch;
			f->len = f->announced = n;
			n_scratch += n;
		}
		break;
	}
	default:
		if (f->len)
			f->len = LLVMFuzzerMutate(scratch + f->at, f->len,
						  f->len);
		f->announced = f->len;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	uint32_t r = seed;
	size_t at = 1;

	if (max < 64 || next(&r) % 16 == 0)
		return LLVMFuzzerMutate(data, size, max);
	if (size < 1)
		data[0] = (uint8_t)next(&r);
	read_frames(data + 1, size ? size - 1 : 0);
	for (unsigned n = 1 + next(&r) % 3; n > 0; n--) {
		const size_t i = next(&r) % (sizeof(stock) / sizeof(stock[0]));
		const size_t k = n_list ? next(&r) % n_list : 0;

		switch (n_list ? next(&r) % 6 : 0) {
		case 0:
		case 1:
			add(n_list ? next(&r) % (n_list + 1) : 0,
			    stock[i].first, stock[i].payload, stock[i].len);
			break;
		case 2:
			memmove(list + k, list + k + 1,
				(--n_list - k) * sizeof(list[0]));
			break;
		case 3:
			if (n_list < FRAMES)
				list[n_list++] = list[k];
			break;
		case 4:
			data[0] ^= (uint8_t)(next(&r) & 0xfe);
			break;
		default:
			change_frame(&list[k], &r);
		}
	}
	for (size_t i = 0; i < n_list; i++)
		at += write_frame(data + at, max - at, &list[i], data[0] & 1);
	return at;
}
