/*
 * Prints what decap makes of a capture, a line a packet, for comparison with
 * another decoder: "udp TIME_US FROM:PORT TO:PORT LEN WIRE_LEN HEX" (tcp with
 * its sequence number in place of the payload).
 *
 *     decap_dump [-t] FILE
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/net/capture_file.h"
#include "daemon/net/decap.h"

static void print(const struct frame *f, const struct decap_packet *p, bool tcp)
{
	char from[ADDR_TEXT], to[ADDR_TEXT];

	if (tcp != (p->kind == DECAP_TCP))
		return;
	printf("%s %" PRIu64 " %s %s %zu %zu ", tcp ? "tcp" : "udp", f->at_us,
	       addr_print(from, &p->from), addr_print(to, &p->to), p->len,
	       p->wire_len);
	if (tcp) {
		printf("%" PRIu32, p->tcp_seq);
	} else {
		for (size_t i = 0; i < p->len; i++)
			printf("%02x", p->data[i]);
	}
	putchar('\n');
}

int main(int argc, char **argv)
{
	const bool tcp = argc == 3 && strcmp(argv[1], "-t") == 0;
	struct capture_file *file;
	struct reason why;
	struct decap *d;
	struct decap_stats s;
	struct frame f;
	int got;

	if (argc != 2 + tcp) {
		fprintf(stderr, "usage: decap_dump [-t] FILE\n");
		return 64;
	}
	if (capture_file_open(&file, argv[argc - 1], &why) < 0) {
		fprintf(stderr, "%s\n", why.text);
		return 3;
	}
	if (decap_new(&d) < 0)
		return 2;
	while ((got = capture_file_next(file, &f, &why)) == 1) {
		struct decap_packet p;

		if (decap_feed(d, f.link_type, f.at_us, f.data, f.len,
			       f.wire_len, &p) == 1)
			print(&f, &p, tcp);
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
