/**
 * @file sender.h  Many datagrams with few system calls, or into a capture instead
 *
 * Legs share sockets; what is due in one turn goes out with one sendmmsg() a
 * socket.  Payloads are not copied: they stay where they are until
 * sender_flush().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "daemon/base/addr.h"
#include "daemon/base/buf.h"

struct sender;

/** Sockets at even ports of `at`, each with the odd one behind it held for the
 * RTCP that may come.
 * @param why On error: what is wrong and what to do
 * @return 0 or -errno */
int sender_open(struct sender **out, const struct addr *at, unsigned sockets,
		struct buf *why);
/** A capture (Ethernet, IPv4 or 6) of what would have been sent, at its due
 * times; ports from 30000 on. */
int sender_capture(struct sender **out, const struct addr *at,
		   unsigned sockets, const char *path, struct buf *why);
/** @return 0, or the first error of writing the capture */
int sender_close(struct sender *s);

/** Of leg n. */
struct addr sender_address(const struct sender *s, unsigned n);

/**
 * @param n Leg; legs share sockets
 * @param head Copied
 * @param len At most 16
 * @param payload Borrowed until sender_flush()
 */
void sender_put(struct sender *s, unsigned n, const struct addr *to,
		uint64_t due_us, const uint8_t *head, size_t len,
		const uint8_t *payload, size_t payload_len);
void sender_flush(struct sender *s);

/** Datagrams that went out, and that the kernel refused. */
uint64_t sender_sent(const struct sender *s);
uint64_t sender_refused(const struct sender *s);
