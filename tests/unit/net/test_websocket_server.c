/** @file test_websocket_server.c  Our server against clients that are none */
#include "daemon/net/stream.h"
#include "tests/unit/net/pair.h"

#define LINE "GET /x HTTP/1.1\r\n"
#define REST "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"           \
	     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"                  \
	     "Sec-WebSocket-Version: 13\r\n\r\n"
#define FRAME "\x81\x82\0\0\0\0hi"

/* A bare connection to the server of a pair. */
struct raw {
	struct stream *s;
	const void *bytes;
	size_t len;
	struct buf got;
	unsigned opened, closed;
};

static void raw_open(void *arg)
{
	struct raw *r = arg;

	r->opened++;
	if (r->len)
		stream_write(r->s, r->bytes, r->len);
}

static void raw_data(const uint8_t *data, size_t len, void *arg)
{
	buf_add(&((struct raw *)arg)->got, data, len);
}

static void raw_closed(const struct reason *why, void *arg)
{
	(void)why;
	((struct raw *)arg)->closed++;
}

static void raw_start(struct raw *r, struct pair *p, const void *bytes,
		      size_t len)
{
	static const struct stream_cb cb = { .open = raw_open,
					     .data = raw_data,
					     .closed = raw_closed };
	*r = (struct raw){ .bytes = bytes, .len = len };
	assert_int_equal(stream_connect(&r->s, &p->loop, &p->at, 3000, &cb, r),
			 0);
}

static void raw_end(struct raw *r)
{
	stream_close(r->s);
	buf_free(&r->got);
}

static const struct {
	const char *name;
	const char *request;
	const char *answer; /* how it begins */
} rows[] = {
	{ "no websocket request", LINE "Host: a\r\n\r\n",
	  "HTTP/1.1 400 Bad Request\r\n" },
	{ "another version of websockets",
	  LINE "Host: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	       "Sec-WebSocket-Version: 8\r\n\r\n",
	  "HTTP/1.1 400 Bad Request\r\n" },
	{ "not HTTP", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
	  "HTTP/1.1 400 Bad Request\r\n" },
};

static void test_what_is_no_request_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pair p;
		struct raw r;

		pair_listen(&p, NULL);
		raw_start(&r, &p, rows[i].request, strlen(rows[i].request));
		pair_until(&p, &r.closed, 1);
		assert_int_equal(p.requests, 0);
		if (strncmp(buf_str(&r.got), rows[i].answer,
			    strlen(rows[i].answer)))
			fail_msg("%s: %s", rows[i].name, buf_str(&r.got));
		raw_end(&r);
		pair_end(&p);
	}
}

static void test_a_request_too_long_is_refused(void **state)
{
	char *request = malloc(20001);
	struct pair p;
	struct raw r;

	(void)state;
	memset(request, 'x', 20000);
	request[20000] = 0;
	memcpy(request, LINE "X: ", strlen(LINE "X: "));
	pair_listen(&p, NULL);
	raw_start(&r, &p, request, 20000);
	pair_until(&p, &r.closed, 1);
	assert_int_equal(strncmp(buf_str(&r.got), "HTTP/1.1 431 ", 13), 0);
	raw_end(&r);
	pair_end(&p);
	free(request);
}

static void test_the_rest_of_the_request_is_frames(void **state)
{
	struct pair p;
	struct raw r;

	(void)state;
	pair_listen(&p, NULL);
	raw_start(&r, &p, LINE REST FRAME, sizeof(LINE REST FRAME) - 1);
	pair_until(&p, &p.server.texts, 1);
	assert_int_equal(p.server.got.len, 2);
	assert_string_equal(p.asked, "/x -");
	raw_end(&r);
	pair_end(&p);
}

static void test_frames_before_a_late_answer_wait_for_it(void **state)
{
	struct pair p;
	struct raw r;

	(void)state;
	pair_listen(&p, NULL);
	p.answer.delay_ms = 30;
	raw_start(&r, &p, LINE REST, sizeof(LINE REST) - 1);
	pair_until(&p, &p.requests, 1);
	assert_int_equal(stream_write(r.s, FRAME FRAME, 16), 0);
	pair_until(&p, &p.server.texts, 2);
	assert_memory_equal(p.server.got.data, "hihi", 4);
	raw_end(&r);
	pair_end(&p);
}

static void test_a_flood_before_a_late_answer_ends_it(void **state)
{
	struct pair p;
	struct raw r;
	char *zero = calloc(1, 200000);

	(void)state;
	pair_listen(&p, NULL);
	p.answer.delay_ms = 60000;
	raw_start(&r, &p, LINE REST, sizeof(LINE REST) - 1);
	pair_until(&p, &p.requests, 1);
	assert_int_equal(stream_write(r.s, zero, 200000), 0);
	pair_until(&p, &r.closed, 1);
	pair_until(&p, &p.server.closed, 1);
	assert_int_equal(p.server.why.class, REASON_PROTOCOL);
	raw_end(&r);
	pair_end(&p);
	free(zero);
}

static void test_closing_ends_who_only_listens(void **state)
{
	struct pair p;
	struct raw r, late;

	(void)state;
	pair_listen(&p, NULL);
	raw_start(&r, &p, "GET", 3);
	pair_until(&p, &r.opened, 1);
	pair_rest(&p, 5);
	websocket_server_close(p.listener);
	p.listener = NULL;
	pair_until(&p, &r.closed, 1);
	raw_start(&late, &p, NULL, 0);
	pair_until(&p, &late.closed, 1);
	assert_int_equal(late.opened, 0);
	raw_end(&r);
	raw_end(&late);
	pair_end(&p);
}

static void test_an_open_websocket_outlives_its_server(void **state)
{
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	p.server.echo = true;
	pair_open(&p);
	websocket_server_close(p.listener);
	p.listener = NULL;
	assert_int_equal(websocket_send(p.client.ws, true, "still", 5), 0);
	pair_until(&p, &p.client.texts, 1);
	pair_end(&p);
}

static void test_the_address_may_be_taken(void **state)
{
	const struct websocket_server_cb cb = {
		.request = pair_request,
	};
	struct websocket_server *second = NULL;
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	assert_true(websocket_listen(&second, &p.loop, &p.at, NULL, &cb, &p) <
		    0);
	assert_null(second);
	pair_end(&p);
}

struct door {
	unsigned asked, waiting;
	bool open;
};

static bool door_welcome(const struct addr *peer, unsigned waiting, void *arg)
{
	struct door *d = arg;

	assert_int_equal(peer->family, 4);
	d->asked++;
	d->waiting = waiting;
	return d->open;
}

static void door_request(struct websocket *ws, const struct websocket_request *r,
			 struct websocket_answer *a, void *arg)
{
	(void)ws;
	(void)r;
	(void)arg;
	a->status = 404;
}

static void test_who_is_not_welcome_gets_not_a_byte(void **state)
{
	static const struct websocket_server_cb cb = {
		.welcome = door_welcome, .request = door_request,
	};
	struct websocket_server *s;
	struct door door = { .open = true };
	struct raw silent, told, stranger;
	struct pair p;

	(void)state;
	pair_listen(&p, NULL);
	p.at.port = 0;
	assert_int_equal(websocket_listen(&s, &p.loop, &p.at, NULL, &cb, &door),
			 0);
	p.at = websocket_server_address(s);
	raw_start(&silent, &p, "", 0);
	pair_until(&p, &door.asked, 1);
	assert_int_equal(door.waiting, 0);
	raw_start(&told, &p, LINE REST, strlen(LINE REST));
	pair_until(&p, &told.closed, 1);
	assert_int_equal(door.waiting, 1);
	assert_int_equal(strncmp(buf_str(&told.got), "HTTP/1.1 404 ", 13), 0);
	door.open = false;
	raw_start(&stranger, &p, LINE REST, strlen(LINE REST));
	pair_until(&p, &stranger.closed, 1);
	assert_int_equal(door.waiting, 1);
	assert_int_equal(stranger.got.len, 0);
	raw_end(&stranger);
	raw_end(&told);
	raw_end(&silent);
	websocket_server_close(s);
	pair_end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_no_request_is_refused),
		cmocka_unit_test(test_a_request_too_long_is_refused),
		cmocka_unit_test(test_the_rest_of_the_request_is_frames),
		cmocka_unit_test(test_frames_before_a_late_answer_wait_for_it),
		cmocka_unit_test(test_a_flood_before_a_late_answer_ends_it),
		cmocka_unit_test(test_closing_ends_who_only_listens),
		cmocka_unit_test(test_an_open_websocket_outlives_its_server),
		cmocka_unit_test(test_the_address_may_be_taken),
		cmocka_unit_test(test_who_is_not_welcome_gets_not_a_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
