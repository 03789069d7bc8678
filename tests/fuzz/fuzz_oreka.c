/**
 * @file fuzz_oreka.c  Datagrams of FreeSWITCH's mod_oreka, daemon/sig/oreka.c
 *
 * A mutator of our own leaves lines where they are: it changes what stands in
 * one, or empties it.
 */
#include <string.h>

#include "daemon/base/must.h"
#include "daemon/base/utf8.h"
#include "daemon/sig/oreka.h"
#include "tests/fuzz/fuzz.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed);

static void check_text(const char *text, size_t room)
{
	const size_t n = strnlen(text, room);

	must(n < room && utf8_valid(text, n) && !strpbrk(text, "\r\n\t"));
}

static void check(const struct oreka_message *m)
{
	must(*m->call_id && strnlen(m->call_id, OREKA_CALL_ID) < OREKA_CALL_ID);
	must(!strpbrk(m->call_id, " /\"@%:"));
	check_text(m->from, OREKA_TEXT);
	check_text(m->to, OREKA_TEXT);
	must(m->n_headers <= OREKA_HEADERS);
	for (size_t i = 0; i < m->n_headers; i++) {
		check_text(m->headers[i].name, EVENT_ID);
		check_text(m->headers[i].value, OREKA_TEXT);
		must(*m->headers[i].name && *m->headers[i].value);
	}
	if (m->begin)
		must(m->at.family == 4 && m->at.port >= 1024 &&
		     !addr_is_any(&m->at));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct oreka_message m;
	const int err = oreka_parse(&m, data, len);

	if (!err)
		check(&m);
	fuzz_count_input(!err);
	return 0;
}

/* -- the mutator ----------------------------------------------------------- */

static void pick(const uint8_t *data, size_t size, unsigned seed, size_t *at,
		 size_t *len)
{
	size_t lines = 0, n = 0;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	n = lines ? seed % lines : 0;
	for (*at = 0; n > 0 && *at < size; (*at)++)
		n -= data[*at] == '\n';
	const uint8_t *end = memchr(data + *at, '\n', size - *at);
	*len = end ? (size_t)(end - data) - *at : size - *at;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	uint8_t line[1024], rest[OREKA_MAX + 2];
	size_t at, len, n;

	if (!size || size > OREKA_MAX || seed % 16 == 0)
		return LLVMFuzzerMutate(data, size, max);
	pick(data, size, seed / 256, &at, &len);
	if (len > sizeof(line) / 2)
		return LLVMFuzzerMutate(data, size, max);
	const size_t behind = size - at - len;
	memcpy(line, data + at, len);
	memcpy(rest, data + at + len, behind);
	n = seed % 16 == 1 ? 0 : LLVMFuzzerMutate(line, len, sizeof(line));
	if (at + n + behind > max)
		return LLVMFuzzerMutate(data, size, max);
	memcpy(data + at, line, n);
	memcpy(data + at + n, rest, behind);
	return at + n + behind;
}
