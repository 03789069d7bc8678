/**
 * @file resample.h  8 kHz to 16 kHz, by speexdsp, its delay taken off
 *
 * Output sample 2k stands at the time of input sample k, and after
 * resample_end() there are exactly twice as many.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct resample;

/** @return 0 or -ENOMEM */
int resample_new(struct resample **out);
void resample_free(struct resample *r);

/** Output samples that resample_feed() may give for `n` input samples. */
size_t resample_room(size_t n);

/**
 * @param out resample_room(n) samples
 * @param end No more will come: give what the filter holds back, too
 * @return samples written; fewer than 2n at the beginning
 */
size_t resample_feed(struct resample *r, int16_t *out, const int16_t *pcm,
		     size_t n, bool end);
