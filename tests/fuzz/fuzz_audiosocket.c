/**
 * @file fuzz_audiosocket.c  What a client of AudioSocket sends
 *
 * The first byte says how long the pieces are that the rest comes in; in one
 * piece it must give the same messages.
 */
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/hash.h"
#include "daemon/base/must.h"
#include "daemon/media/audiosocket.h"
#include "tests/fuzz/fuzz.h"

struct seen {
	uint64_t messages, hash;
	int end;
};

static void feed(struct seen *s, struct audiosocket *a, const uint8_t *data,
		 size_t len)
{
	uint8_t *exact = malloc(len + !len);
	struct audiosocket_message m;
	struct rd in = rd_of(exact, len);

	if (len)
		memcpy(exact, data, len);
	while ((s->end = audiosocket_next(a, &in, &m)) == 1) {
		must(m.len <= AUDIOSOCKET_MAX);
		s->hash = hash_mix(s->hash, hash_bytes(m.data, m.len) + m.kind);
		s->messages++;
	}
	must(s->end || !rd_left(&in));
	free(exact);
}

static struct seen run(const uint8_t *data, size_t len, size_t piece)
{
	struct audiosocket a = {0};
	struct seen s = {0};

	for (size_t i = 0; i < len && s.end >= 0; i += piece)
		feed(&s, &a, data + i, MIN(piece, len - i));
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	if (len < 2)
		return 0;
	const struct seen one = run(data + 1, len - 1, len),
			  many = run(data + 1, len - 1, data[0] % 64 + 1u);

	must(one.messages == many.messages && one.hash == many.hash &&
	     one.end == many.end);
	fuzz_count_input(one.messages);
	return 0;
}
