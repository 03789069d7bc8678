/**
 * @file fuzz_pcap.c  Capture files through libpcap, and the frames in them
 *
 * libpcap is not instrumented: the mutator changes 32-bit fields, blocks of
 * bytes and the frames' insides, at places that are multiples of four, where
 * both formats have their fields.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/net/capture_file.h"
#include "daemon/net/decap.h"
#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed);

static unsigned chance;

static unsigned roll(size_t n)
{
	chance = chance * 1664525u + 1013904223u;
	return (unsigned)((chance >> 8) % n);
}

static size_t mutate_block(uint8_t *data, size_t size, size_t max)
{
	const size_t at = roll(size / 4) * 4;
	const size_t len = 4 * (1 + roll(24));

	if (at + len > size)
		return size;
	if (roll(2)) { /* Gone */
		memmove(data + at, data + at + len, size - at - len);
		return size - len;
	}
	if (size + len > max)
		return size;
	memmove(data + at + len, data + at, size - at); /* Twice */
	return size + len;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	static const uint32_t odd[] = { 0, 1, 2, 4, 16, 28, 32, 60, 0xffff,
					0x10000, 0x40000, 0x40001, 0x7fffffff,
					0xffffffff, 0x0a0d0d0a, 0x1a2b3c4d };
	uint32_t v;

	chance = seed;
	if (size < 64 || roll(8) == 0)
		return LLVMFuzzerMutate(data, size, max);
	switch (roll(4)) {
	case 0:
		v = odd[roll(ARRAY_LEN(odd))];
		if (roll(2))
			v = __builtin_bswap32(v);
		memcpy(data + roll(size / 4) * 4, &v, 4);
		return size;
	case 1:
		return mutate_block(data, size, max);
	default: /* A few bytes, lengths as they were */
		for (unsigned n = 1 + roll(4); n > 0; n--)
			data[40 + roll(size - 40)] = (uint8_t)roll(256);
		return size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static int fd = -1;
	struct capture_file *file = NULL;
	struct reason why;
	struct decap *d;
	struct frame f;
	char path[32];
	size_t frames = 0;

	if (fd < 0)
		fd = memfd_create("fuzz_pcap", 0);
	must(fd >= 0 && ftruncate(fd, 0) == 0 &&
	     pwrite(fd, data, len, 0) == (ssize_t)len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	const int err = capture_file_open(&file, path, &why);

	must(err == 0 || err == -EBADMSG || err == -ENOTSUP);
	must(decap_new(&d) == 0);
	while (file && capture_file_next(file, &f, &why) == 1) {
		struct decap_packet p;

		must(f.len <= 256 * 1024 && f.wire_len >= f.len);
		must(decap_knows(f.link_type));
		if (decap_feed(d, f.link_type, f.at_us, f.data, f.len,
			       f.wire_len, &p) == 1)
			must(p.len <= f.len || p.len <= 65535);
		frames++;
	}
	capture_file_close(file);
	decap_free(d);
	fuzz_count_input(frames > 0);
	return 0;
}
