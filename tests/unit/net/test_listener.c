/** @file test_listener.c  daemon/net/listener.c */
#include "daemon/net/listener.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/net/stream.h"

static struct {
	unsigned offered, ended;
	struct stream *stream;
	struct listener *listener;
} t;

static void on_closed(const struct reason *why, void *arg)
{
	(void)why;
	(void)arg;
	t.ended++;
	stream_close(t.stream);
	listener_close(t.listener);
}

static void on_offer(uv_stream_t *from, void *arg)
{
	static const struct stream_cb cb = { .closed = on_closed };
	struct stream *s;

	t.offered++;
	assert_ptr_equal(arg, &t);
	assert_int_equal(stream_accept(&s, from, NULL, &cb, NULL), 0);
	if (t.offered == 1)
		stream_close(s); /* not wanted */
	else
		t.stream = s;
}

static int client(const struct addr *at)
{
	struct sockaddr_storage sa;
	const socklen_t len = addr_to_sockaddr(&sa, at);
	const int fd = socket(sa.ss_family, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, len), 0);
	return fd;
}

static void test_connections_are_offered(void **state)
{
	static const uint8_t here[4] = { 127, 0, 0, 1 };
	struct addr at = addr_v4(here, 0);
	struct listener *second;
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(listener_open(&t.listener, &loop, &at, on_offer, &t),
			 0);
	at = listener_address(t.listener);
	assert_true(at.port > 0);
	assert_int_equal(listener_open(&second, &loop, &at, on_offer, &t),
			 -EADDRINUSE);

	const int unwanted = client(&at), wanted = client(&at);
	char byte;

	while (t.offered < 2)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(read(unwanted, &byte, 1), 0);
	close(wanted);
	uv_run(&loop, UV_RUN_DEFAULT); /* ends: everything was closed */
	close(unwanted);
	assert_int_equal(t.ended, 1);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connections_are_offered),
	};

	return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
