/**
 * @file fuzz_receiver.c  Any stream of packets through one leg's receiver
 *
 * The bytes are a script of 8-byte steps, each a packet:
 *   0    what differs from a good sender's next one: bit 0 sequence, 1
 *        timestamp, 2 SSRC, 3 type, 4 length, 5 arrival; 6: it is not put, 7:
 *        nobody looks after it
 *   1-2  sequence: step from the last
 *   3    timestamp: step from the last, times 2^(byte 4 & 31)
 *   4    exponents
 *   5    type (low three bits, an index) and SSRC (next two)
 *   6    length on the wire in tens of bytes; odd: half of it was captured
 *   7    arrival: step, times 2^(byte 4 >> 3) us
 *
 * What must hold for every stream: positions join, samples add up, payloads
 * can be read, nothing waits beyond its deadline, the timeline does not outrun
 * the clock.
 */
#include <string.h>

#include "daemon/base/must.h"
#include "daemon/base/rd.h"
#include "daemon/media/receiver.h"
#include "tests/fuzz/fuzz.h"

enum { SEQ = 1, TS = 2, SSRC = 4, TYPE = 8, LEN = 16, ARRIVAL = 32, SKIP = 64,
       LAZY = 128, STEP = 8, BYTE = 0x55 };

struct state {
	struct receiver *r;
	struct rtp h;
	uint8_t *last;       /* datagrams live until the next one is put */
	uint64_t now_us;
	uint64_t pos;
	uint64_t samples;
	uint64_t wire;       /* samples there were on the wire, at most */
};

static void check_item(struct state *s, const struct media_item *it)
{
	uint64_t sum = 0;

	if (it->kind == MEDIA_DTMF) {
		must(it->digit);
		return;
	}
	must(it->pos == s->pos);
	must((it->kind == MEDIA_DISCONTINUITY) == (it->len == 0));
	s->pos += it->len;
	if (it->kind != MEDIA_AUDIO)
		return;
	must(it->bytes && it->bytes <= RTP_PAYLOAD_MAX);
	for (size_t i = 0; i < it->bytes; i++)
		sum += it->data[i];
	must(sum == (uint64_t)it->bytes * BYTE);
	s->samples += it->len;
}

static void look(struct state *s)
{
	struct receiver_stats st;
	struct media_item it;

	while (receiver_next(s->r, &it, s->now_us))
		check_item(s, &it);
	receiver_stats(s->r, &st);
	must(st.samples == s->samples && receiver_position(s->r) == s->pos);
	must(receiver_deadline_us(s->r) > s->now_us);
	must(st.mos >= 1 && st.mos <= 4.5 && st.jitter_ms >= 0);
	must(st.lost <= UINT32_MAX);
	must(s->pos / 4 <= s->now_us / 125 + s->wire + 48000);
}

static void put(struct state *s)
{
	struct receiver_stats before, after;
	uint8_t *bytes = malloc(s->h.len);

	memset(bytes, BYTE, s->h.len);
	s->h.payload = bytes;
	s->wire += s->h.wire_len;
	receiver_stats(s->r, &before);
	const int err = receiver_put(s->r, &s->h, s->now_us);
	receiver_stats(s->r, &after);
	must(after.packets + after.unknown ==
	     before.packets + before.unknown + 1);
	must(err != 0 || after.oversize == before.oversize);
	free(s->last);
	s->last = bytes;
}

/* The good sender's next packet, but for what the script says. */
static void step(struct state *s, struct rd *in)
{
	static const uint8_t types[8] = { 0, 8, 96, 13, 101, 99, 18, 0 };
	const uint8_t what = rd_u8(in);
	const uint16_t seq = rd_u16(in);
	const uint32_t ts = rd_u8(in);
	const uint8_t power = rd_u8(in);
	const uint8_t type = rd_u8(in);
	const size_t len = rd_u8(in);
	const uint64_t arrival = rd_u8(in);

	s->h.seq = (uint16_t)(s->h.seq + (what & SEQ ? seq : 1));
	s->h.ts += what & TS ? ts << (power & 31) : 160;
	s->now_us += what & ARRIVAL ? arrival << (power >> 3) : 20000;
	if (what & SSRC)
		s->h.ssrc = type >> 3 & 3;
	s->h.pt = what & TYPE ? types[type & 7] : 0;
	s->h.wire_len = what & LEN ? len * 10 : 160;
	s->h.len = what & LEN && len & 1 ? s->h.wire_len / 2 : s->h.wire_len;
	if (!(what & SKIP))
		put(s);
	if (!(what & LAZY))
		look(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct state s = { 0 };
	struct receiver_config cfg;
	struct rd in = rd_of(data, len);

	receiver_config_default(&cfg);
	cfg.kind[96]  = PAYLOAD_L16;
	cfg.kind[101] = PAYLOAD_TELEPHONE_EVENT;
	cfg.kind[18]  = PAYLOAD_OTHER_CODEC;
	must(receiver_new(&s.r, &cfg) == 0);
	while (rd_left(&in) >= STEP)
		step(&s, &in);
	receiver_flush(s.r);
	look(&s);
	fuzz_count_input(s.samples > 0);
	receiver_free(s.r);
	free(s.last);
	return 0;
}
