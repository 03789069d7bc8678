/**
 * @file bench_receiver.c  CPU of one packet through the receiver
 *
 * One leg's packets of 20 ms in order, the common case, and with every
 * twentieth lost, through rtp_parse(), receiver_put() and receiver_next() until
 * it says 0.  Beside it a memcpy of the payload, as a measure of the machine:
 * only the ratio is worth comparing.  Best of 5.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/base/must.h"
#include "daemon/media/receiver.h"
#include "daemon/media/rtp.h"

/* A regression of one kind: a loop, a copy or an allocation per packet. */
enum { RATIO_MAX = 25 };

enum { PACKETS = 1000000, HEADER = 12, PAYLOAD = 160, RUNS = 5 };

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void set_header(uint8_t *p, uint32_t n)
{
	const uint32_t ts = n * PAYLOAD;

	p[0] = 0x80;
	p[2] = (uint8_t)(n >> 8);
	p[3] = (uint8_t)n;
	p[4] = (uint8_t)(ts >> 24);
	p[5] = (uint8_t)(ts >> 16);
	p[6] = (uint8_t)(ts >> 8);
	p[7] = (uint8_t)ts;
}

/** @param lose Every n-th packet; 0: none.  @return ns a packet */
static double run_receiver(unsigned lose)
{
	uint8_t data[HEADER + PAYLOAD] = { 0 };
	struct receiver_config cfg;
	struct receiver *r = NULL;
	struct media_item it;
	uint64_t audio = 0;

	receiver_config_default(&cfg);
	must(receiver_new(&r, &cfg) == 0);
	const double begin = now_ns();
	for (uint32_t n = 0; n < PACKETS; n++) {
		struct rtp h;

		if (lose && n % lose == lose - 1)
			continue;
		set_header(data, n);
		must(rtp_parse(&h, data, sizeof(data), sizeof(data)) == 0);
		(void)receiver_put(r, &h, n * 20000ull);
		while (receiver_next(r, &it, n * 20000ull))
			audio += it.bytes;
	}
	const double ns = (now_ns() - begin) / PACKETS;
	receiver_flush(r);
	while (receiver_next(r, &it, PACKETS * 20000ull))
		audio += it.bytes;
	receiver_free(r);
	must(audio == (uint64_t)PAYLOAD *
			(PACKETS - (lose ? PACKETS / lose : 0)));
	return ns;
}

static double run_memcpy(unsigned unused)
{
	static uint8_t from[PAYLOAD], to[PAYLOAD];
	const double begin = now_ns();

	(void)unused;
	for (uint32_t n = 0; n < PACKETS; n++) {
		from[n % PAYLOAD] = (uint8_t)n;
		memcpy(to, from, sizeof(to));
		__asm__ volatile("" : : "r"(to) : "memory");
	}
	return (now_ns() - begin) / PACKETS;
}

static double best(double (*run)(unsigned), unsigned arg)
{
	double ns = 1e9;

	for (int i = 0; i < RUNS; i++) {
		const double t = run(arg);

		if (t < ns)
			ns = t;
	}
	return ns;
}

int main(void)
{
	const double copy = best(run_memcpy, 0);
	const double order = best(run_receiver, 0);
	const double loss = best(run_receiver, 20);

	printf("receiver: memcpy of the payload %6.1f ns\n", copy);
	printf("receiver: packets in order      %6.1f ns, %.1f x\n", order,
	       order / copy);
	printf("receiver: 5 %% lost              %6.1f ns, %.1f x\n", loss,
	       loss / copy);
	return order > RATIO_MAX * copy;
}
