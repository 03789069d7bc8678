/**
 * @file sip_stream.h  SIP messages out of a byte stream (RFC 3261 section 18.3)
 *
 * Cut by Content-Length (or `l`), keep-alive CRLFs skipped; what makes no
 * sense is skipped to the next line that can begin a message.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sip_stream;

int sip_stream_new(struct sip_stream **out);
void sip_stream_free(struct sip_stream *s);
/** @return 0, -EMSGSIZE (over 128 KiB without an end: all is dropped) or
 *  -ENOMEM */
int sip_stream_feed(struct sip_stream *s, const uint8_t *data, size_t len);
/** Bytes of the stream were lost here: begin anew at the next message. */
void sip_stream_lost(struct sip_stream *s);
/**
 * @param data One whole message; borrowed until the next call
 * @return 1 or 0: none yet
 */
int sip_stream_next(struct sip_stream *s, const uint8_t **data, size_t *len);
/**
 * Between messages two line ends came, and want one back (RFC 5626 section
 * 4.4.1).
 *
 * @return Whether that was so since the last time this was asked
 */
bool sip_stream_pinged(struct sip_stream *s);
