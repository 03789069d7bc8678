/** @file test_endpoints.c  daemon/ingress/endpoints.c */
#include "daemon/ingress/endpoints.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

static struct tap tap;

static struct tap_call *call_new(void)
{
	struct tap_call *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->tap = &tap;
	c->n_media = 2;
	for (unsigned m = 0; m < 2; m++)
		for (unsigned s = 0; s < SIDES; s++) {
			c->media[m].side[s] = calloc(1, sizeof(struct tap_side));
			assert_non_null(c->media[m].side[s]);
		}
	return c;
}

static void call_free(struct tap_call *c)
{
	endpoints_remove(c);
	for (unsigned m = 0; m < 2; m++)
		for (unsigned s = 0; s < SIDES; s++)
			free(c->media[m].side[s]);
	free(c);
}

static struct addr at(unsigned n)
{
	const uint8_t ip[4] = { 10, 0, (uint8_t)(n >> 8), (uint8_t)n };

	return addr_v4(ip, (uint16_t)(4000 + n));
}

static int add(struct tap_call *c, unsigned media, unsigned side, unsigned n)
{
	const struct addr a = at(n);

	return endpoints_add(c, media, side, &a);
}

/* Who receives there, oldest first: calls as letters from 'a'. */
static const char *who(struct tap_call *const *calls, unsigned n)
{
	static char out[32];
	const struct addr a = at(n);
	const struct endpoint_address *x = endpoints_find(&tap, &a);
	size_t len = 0;

	out[0] = '\0';
	if (!x)
		return "-";
	assert_true(addr_equal(&x->at, &a));
	list_each(&x->endpoints, l) {
		const struct endpoint *e = list_item(l, struct endpoint, same);
		char c = '?';

		for (unsigned i = 0; i < 3; i++)
			if (calls[i] == e->call)
				c = (char)('a' + i);
		out[len++] = c;
		out[len++] = (char)('0' + e->media * 2 + e->side);
		out[len] = '\0';
	}
	return out;
}

static void test_an_address_has_its_calls(void **state)
{
	struct tap_call *c[3] = { call_new(), call_new(), call_new() };

	(void)state;
	assert_string_equal(who(c, 1), "-");
	assert_int_equal(add(c[0], 0, 0, 1), 1);
	assert_int_equal(add(c[0], 0, 0, 1), 0);
	assert_int_equal(add(c[1], 1, 1, 1), 1);
	assert_int_equal(add(c[0], 0, 1, 1), 1); /* the other side, too */
	assert_int_equal(add(c[2], 0, 0, 2), 1);
	assert_string_equal(who(c, 1), "a0b3a1");
	assert_string_equal(who(c, 2), "c0");
	assert_string_equal(who(c, 3), "-");
	call_free(c[1]);
	assert_string_equal(who(c, 1), "a0a1");
	endpoints_remove(c[0]);
	endpoints_remove(c[0]);
	assert_string_equal(who(c, 1), "-");
	assert_int_equal(add(c[0], 0, 0, 1), 1);
	assert_string_equal(who(c, 1), "a0");
	call_free(c[0]);
	call_free(c[2]);
	assert_int_equal(tap.by_address.count, 0);
	map_free(&tap.by_address);
}

static void test_a_port_is_part_of_it(void **state)
{
	struct tap_call *c[3] = { call_new(), NULL, NULL };
	struct addr a = at(1);

	(void)state;
	add(c[0], 0, 0, 1);
	a.port++;
	assert_null(endpoints_find(&tap, &a));
	call_free(c[0]);
	map_free(&tap.by_address);
}

/* One that is announced again is the newest, so it is not forgotten. */
static void test_the_oldest_is_forgotten(void **state)
{
	struct tap_call *c[3] = { call_new(), NULL, NULL };

	(void)state;
	for (unsigned n = 1; n <= ENDPOINTS_MAX; n++)
		assert_int_equal(add(c[0], 0, 0, n), 1);
	assert_int_equal(add(c[0], 0, 0, 1), 0);
	assert_int_equal(add(c[0], 0, 0, 10), 1);
	assert_int_equal(add(c[0], 0, 0, 11), 1);
	assert_string_equal(who(c, 1), "a0");
	assert_string_equal(who(c, 2), "-");
	assert_string_equal(who(c, 3), "-");
	assert_string_equal(who(c, 4), "a0");
	assert_string_equal(who(c, 11), "a0");

	const struct tap_side *s = c[0]->media[0].side[0];
	static const unsigned order[] = { 4, 1, 10, 11 };

	assert_int_equal(s->n, ENDPOINTS_MAX);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		const struct addr a = at(order[i]);

		assert_true(addr_equal(&s->endpoints[i]->address->at, &a));
	}
	call_free(c[0]);
	map_free(&tap.by_address);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address_has_its_calls),
		cmocka_unit_test(test_a_port_is_part_of_it),
		cmocka_unit_test(test_the_oldest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
