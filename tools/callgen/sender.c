/** @file sender.c  sendmmsg in batches */
#include "tools/callgen/sender.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/must.h"
#include "tools/callgen/frames.h"

enum { BATCH = 64, HEAD_MAX = 16, TRIES = 200, CAPTURE_PORT = 30000 };

struct outlet {
	int fd, rtcp;            /* -1: none */
	struct addr at;
	unsigned n;
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH][2];
	struct sockaddr_storage to[BATCH];
	uint8_t head[BATCH][HEAD_MAX];
};

struct sender {
	struct outlet *outlets;
	unsigned n;
	FILE *capture;           /* NULL: the network */
	uint64_t sent, refused;
};

static int bound(const struct addr *at)
{
	struct sockaddr_storage ss;
	const socklen_t len = addr_to_sockaddr(&ss, at);
	const int fd = socket(ss.ss_family,
			      SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&ss, len)) {
		const int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);
	struct addr a = {0};

	if (getsockname(fd, (struct sockaddr *)&ss, &len) ||
	    addr_from_sockaddr(&a, (struct sockaddr *)&ss))
		return 0;
	return a.port;
}

/* An even port whose neighbour is free too (RFC 3550 section 11). */
static int open_pair(struct outlet *o, const struct addr *at)
{
	for (int i = 0; i < TRIES; i++) {
		struct addr a = *at;
		const int fd = bound(&a);

		if (fd < 0)
			return fd;
		a.port = port_of(fd);
		const uint16_t other = a.port ^ 1;
		struct addr b = a;

		b.port = other;
		const int second = bound(&b);

		if (second >= 0) {
			const bool even = a.port % 2 == 0;

			o->fd = even ? fd : second;
			o->rtcp = even ? second : fd;
			o->at = even ? a : b;
			return 0;
		}
		close(fd);
	}
	return -EADDRINUSE;
}

static int make(struct sender **out, unsigned sockets)
{
	struct sender *s = calloc(1, sizeof(*s));

	must(s);
	s->outlets = calloc(sockets, sizeof(*s->outlets));
	must(s->outlets);
	s->n = sockets;
	for (unsigned i = 0; i < sockets; i++)
		s->outlets[i].fd = s->outlets[i].rtcp = -1;
	*out = s;
	return 0;
}

int sender_open(struct sender **out, const struct addr *at, unsigned sockets,
		struct buf *why)
{
	struct sender *s;
	char text[ADDR_TEXT];

	make(&s, sockets);
	for (unsigned i = 0; i < sockets; i++) {
		const int err = open_pair(&s->outlets[i], at);

		if (err) {
			buf_printf(why, "cannot send from %s: %s",
				   addr_print(text, at), strerror(-err));
			sender_close(s);
			return err;
		}
	}
	*out = s;
	return 0;
}

int sender_capture(struct sender **out, const struct addr *at,
		   unsigned sockets, const char *path, struct buf *why)
{
	struct sender *s;

	make(&s, sockets);
	for (unsigned i = 0; i < sockets; i++) {
		s->outlets[i].at = *at;
		s->outlets[i].at.port =
			(uint16_t)(CAPTURE_PORT + 2 * (i % 8000));
	}
	s->capture = fopen(path, "wb");
	if (!s->capture) {
		const int err = -errno;

		buf_printf(why, "%s: %s", path, strerror(-err));
		sender_close(s);
		return err;
	}
	frames_begin(s->capture);
	*out = s;
	return 0;
}

int sender_close(struct sender *s)
{
	int err = 0;

	if (!s)
		return 0;
	for (unsigned i = 0; i < s->n; i++) {
		if (s->outlets[i].fd >= 0)
			close(s->outlets[i].fd);
		if (s->outlets[i].rtcp >= 0)
			close(s->outlets[i].rtcp);
	}
	if (s->capture) {
		err = ferror(s->capture) ? -EIO : 0;
		if (fclose(s->capture) && !err)
			err = -errno;
	}
	free(s->outlets);
	free(s);
	return err;
}

struct addr sender_address(const struct sender *s, unsigned n)
{
	return s->outlets[n % s->n].at;
}

static void flush(struct sender *s, struct outlet *o)
{
	for (unsigned at = 0; at < o->n;) {
		const int n = sendmmsg(o->fd, o->msg + at, o->n - at, 0);

		if (n > 0) {
			at += (unsigned)n;
			s->sent += (uint64_t)n;
		} else if (errno != EINTR && errno != ECONNREFUSED) {
			/* an old "port unreachable" concerns no packet of now;
			 * else the first of them is given up */
			at++;
			s->refused++;
		}
	}
	o->n = 0;
}

void sender_flush(struct sender *s)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->outlets[i].n)
			flush(s, &s->outlets[i]);
}

void sender_put(struct sender *s, unsigned n, const struct addr *to,
		uint64_t due_us, const uint8_t *head, size_t len,
		const uint8_t *payload, size_t payload_len)
{
	struct outlet *o = &s->outlets[n % s->n];

	must(len <= HEAD_MAX);
	if (s->capture) {
		frames_put(s->capture, due_us, &o->at, to, head, len, payload,
			   payload_len);
		s->sent++;
		return;
	}
	const unsigned i = o->n++;

	memcpy(o->head[i], head, len);
	o->iov[i][0] = (struct iovec){ o->head[i], len };
	o->iov[i][1] = (struct iovec){ (void *)(uintptr_t)payload, payload_len };
	o->msg[i].msg_hdr = (struct msghdr){
		.msg_name = &o->to[i], .msg_iov = o->iov[i], .msg_iovlen = 2,
		.msg_namelen = addr_to_sockaddr(&o->to[i], to),
	};
	if (o->n == BATCH)
		flush(s, o);
}

uint64_t sender_sent(const struct sender *s)
{
	return s->sent;
}

uint64_t sender_refused(const struct sender *s)
{
	return s->refused;
}
