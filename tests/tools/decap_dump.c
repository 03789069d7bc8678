/*
 * Prints what decap makes of a capture, a line a packet, for comparison with
 * another decoder: "udp TIME_US FROM:PORT TO:PORT LEN WIRE_LEN HEX"; tcp with
 * "SEQ ACK FLAGS" in front of the payload.  Exit 3: the file is damaged.
 *
 *     decap_dump FILE
 */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/net/capture_file.h"
#include "daemon/net/decap.h"

static void print(const struct frame *f, const struct decap_packet *p)
{
	char from[ADDR_TEXT], to[ADDR_TEXT];

	printf("%s %" PRIu64 " %s %s %zu %zu ",
	       p->kind == DECAP_TCP ? "tcp" : "udp", f->at_us,
	       addr_print(from, &p->from), addr_print(to, &p->to), p->len,
	       p->wire_len);
	if (p->kind == DECAP_TCP)
		printf("%" PRIu32 " %" PRIu32 " %u ", p->tcp_seq, p->tcp_ack,
		       p->tcp_flags);
	for (size_t i = 0; i < p->len; i++)
		printf("%02x", p->data[i]);
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct capture_file *file;
	struct reason why;
	struct decap *d;
	struct decap_stats s;
	struct frame f;
	int got;

	if (argc != 2) {
		fprintf(stderr, "usage: decap_dump FILE\n");
		return 64;
	}
	if (capture_file_open(&file, argv[1], &why) < 0) {
		fprintf(stderr, "%s\n", why.text);
		return 3;
	}
	if (decap_new(&d) < 0)
		return 2;
	while ((got = capture_file_next(file, &f, &why)) == 1) {
		struct decap_packet p;

		if (decap_feed(d, f.link_type, f.at_us, f.data, f.len,
			       f.wire_len, &p) == 1)
			print(&f, &p);
	}
	if (got < 0)
		fprintf(stderr, "%s\n", why.text);
	decap_stats(d, &s);
	fprintf(stderr, "frames %" PRIu64 " udp %" PRIu64 " tcp %" PRIu64
		" other %" PRIu64 " malformed %" PRIu64 " fragments %" PRIu64
		" reassembled %" PRIu64 " lost %" PRIu64 "\n", s.frames, s.udp,
		s.tcp, s.other, s.malformed, s.fragments, s.reassembled,
		s.fragments_lost);
	decap_free(d);
	capture_file_close(file);
	return got < 0 ? 3 : 0;
}
