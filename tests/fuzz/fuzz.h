/**
 * @file fuzz.h  What every fuzz target shares: the share of inputs accepted
 *
 * A target whose inputs are nearly all refused at the first byte tests
 * nothing; so each tells, when the process ends, how many went through.
 */
#pragma once

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct {
	uint64_t inputs;
	uint64_t accepted;
} fuzz_count;

static void fuzz_report(void)
{
	fprintf(stderr, "accepted %" PRIu64 " of %" PRIu64 " inputs\n",
		fuzz_count.accepted, fuzz_count.inputs);
}

/** Once for each input: did the code under test take it as good? */
static inline void fuzz_count_input(bool accepted)
{
	if (fuzz_count.inputs++ == 0)
		atexit(fuzz_report);
	fuzz_count.accepted += accepted;
}
