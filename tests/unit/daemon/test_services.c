/** @file test_services.c  daemon/services.c, on a configuration from memory */
#include "daemon/services.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/array.h"

static char dir[] = "/tmp/test_services.XXXXXX";
static uv_loop_t loop;

static void put(const char *name, const char *text, mode_t mode)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	unlink(path);
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Three services; of the last the key cannot be read. */
static struct config *config(const char *routes)
{
	struct buf text = {0}, errors = {0};
	struct config *c = NULL;
	static const char *const names[] = { "first", "second", "open" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		buf_printf(&text,
			   "asr \"%s\" {\n vendor = \"bodhi\"\n"
			   " model = \"hi-banking-v2-8khz\"\n"
			   " url = \"ws://127.0.0.1:1/%s\"\n"
			   " api-key-file = \"%s/%s.key\"\n%s}\n",
			   names[i], names[i], dir, names[i],
			   i == 0 ? " fallback = \"second\"\n" : "");
	buf_puts(&text, routes);
	if (config_parse(&c, "made up", buf_str(&text), text.len, &errors))
		fail_msg("%s", buf_str(&errors));
	buf_free(&text);
	buf_free(&errors);
	return c;
}

static int setup(void **state)
{
	(void)state;
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_non_null(mkdtemp(dir));
	put("first.key", "one", 0600);
	put("second.key", "two", 0600);
	put("open.key", "three", 0644);
	return uv_loop_init(&loop);
}

static int teardown(void **state)
{
	static const char *const names[] = { "first", "second", "open" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s.key", dir, names[i]);
		unlink(path);
	}
	rmdir(dir);
	return uv_loop_close(&loop);
}

static void finish(struct services *s)
{
	services_stop(s);
	uv_run(&loop, UV_RUN_DEFAULT);
	services_close(s);
}

static struct service *choose(struct services *s, const char *source,
			      enum role role)
{
	const struct leg_facts f = { .source = source, .calling = "",
				     .called = "", .language = "",
				     .role = role };

	return services_choose(&f, s);
}

static const char *chosen(struct services *s, const char *source,
			  enum role role)
{
	const struct service *x = choose(s, source, role);

	return x ? x->config->name : "none";
}

static void on_granted(struct gate_ticket *t)
{
	(void)t;
}

#define ROUTES                                                                 \
	"route { asr = \"second\" source = \"sip\" }\n"                        \
	"route { asr = \"none\" role = \"agent\" }\n"                          \
	"route { asr = \"first\" }\n"

/* Which service a leg gets: of the one that was named, else by the routes. */
static const struct {
	const char *only, *routes, *source;
	enum role role;
	const char *want;
} rows[] = {
	{ NULL, ROUTES, "sip", ROLE_AGENT, "second" },
	{ NULL, ROUTES, "replay", ROLE_AGENT, "none" },
	{ NULL, ROUTES, "replay", ROLE_CALLER, "first" },
	{ NULL, "", "replay", ROLE_CALLER, "none" },
	{ "none", ROUTES, "sip", ROLE_AGENT, "none" },
	{ "first", ROUTES, "sip", ROLE_AGENT, "first" },
	{ "first", "", "replay", ROLE_AGENT, "first" },
	{ "second", ROUTES, "replay", ROLE_AGENT, "second" },
};

static void test_who_gets_which(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct config *c = config(rows[i].routes);
		struct services *s;
		struct buf why = {0};

		print_message("row: %zu\n", i);
		assert_int_equal(services_open(&s, c, rows[i].only, &loop,
					       &why), 0);
		assert_int_equal(why.len, 0);
		assert_string_equal(chosen(s, rows[i].source, rows[i].role),
				    rows[i].want);
		finish(s);
		buf_free(&why);
		config_free(c);
	}
}

static void test_each_is_opened_once_with_its_fallback(void **state)
{
	struct config *c = config(ROUTES);
	struct services *s;
	struct buf why = {0};

	(void)state;
	assert_int_equal(services_open(&s, c, NULL, &loop, &why), 0);
	struct service *first = choose(s, "replay", ROLE_CALLER);
	struct service *second = choose(s, "sip", ROLE_AGENT);

	assert_ptr_equal(first->fallback, second);
	assert_null(second->fallback);
	assert_ptr_equal(choose(s, "x", ROLE_UNKNOWN), first);
	finish(s);
	config_free(c);
}

/* Its key was refused `ms` ago, and nobody has tried since. */
static void take_down(struct service *x, uint64_t ms)
{
	const uint64_t at_ms = uv_now(&loop) - ms;
	struct gate_ticket t = { .granted = on_granted };
	struct reason why;

	reason_set(&why, REASON_AUTH, 401, "no");
	gate_enter(x->gate, &t);
	gate_run(x->gate, at_ms);
	gate_failure(x->gate, &t, &why, at_ms, 0);
	/* it failed again just now: the next try is not due yet */
	gate_enter(x->gate, &t);
	gate_run(x->gate, at_ms + 40000);
	gate_failure(x->gate, &t, &why, uv_now(&loop), 0);
}

static void test_all_that_sip_calls_could_get_is_down(void **state)
{
	static const char *const sources[] = { "sip", "siprec", NULL };
	/* by what is down: nothing, the second, both */
	static const struct {
		const char *only, *routes;
		bool down[3];
	} down[] = {
		{ NULL, "", { false, false, false } },
		{ NULL, "route { asr = \"second\" }\n",
		  { false, true, true } },
		{ NULL, "route { asr = \"first\" }\n", { false, false, true } },
		{ NULL, ROUTES, { false, false, false } },
		{ NULL, "route { asr = \"first\" source = \"rtp\" }\n"
		  "route { asr = \"second\" source = \"siprec\" }\n",
		  { false, true, true } },
		{ NULL, "route { asr = \"second\" source = \"rtp\" }\n"
		  "route { asr = \"none\" }\n", { false, false, false } },
		{ "second", ROUTES, { false, true, true } },
		{ "none", ROUTES, { false, false, false } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(down); i++) {
		for (unsigned n = 0; n < 3; n++) {
			struct config *c = config(down[i].routes);
			struct services *s;
			struct buf why = {0};

			assert_int_equal(services_open(&s, c, down[i].only,
						       &loop, &why), 0);
			struct service *x = choose(s, "siprec", ROLE_CALLER);

			if (x && n && !strcmp(x->config->name, "second"))
				take_down(x, 60000);
			if (x && n && x->fallback)
				take_down(x->fallback, 60000);
			if (x && n == 2 && x->fallback)
				take_down(x, 60000);
			if (services_down(s, sources, 30000) != down[i].down[n])
				fail_msg("row %zu, %u down", i, n);
			assert_false(services_down(s, sources, 90000));
			finish(s);
			buf_free(&why);
			config_free(c);
		}
	}
}

/* In use, the old ones stay; unused they go, at once or with their last leg. */
static void test_a_reload(void **state)
{
	struct config *c = config("route { asr = \"second\" }");
	struct config *next = config("route { asr = \"first\" }");
	struct config *bad = config("route { asr = \"open\" }");
	struct config *last = config("");
	struct services *s;
	struct buf why = {0};

	(void)state;
	assert_int_equal(services_open(&s, c, NULL, &loop, &why), 0);
	struct service *old = choose(s, "sip", ROLE_CALLER);

	assert_int_equal(services_reload(s, bad, &why), -EACCES);
	assert_ptr_equal(choose(s, "sip", ROLE_CALLER), old);
	assert_non_null(strstr(buf_str(&why), "chmod 600"));
	config_free(bad);

	assert_int_equal(services_reload(s, next, &why), 0);
	assert_ptr_equal(services_config(s), next);
	assert_string_equal(chosen(s, "sip", ROLE_CALLER), "first");
	assert_string_equal(old->config->name, "second");
	assert_int_equal(services_old(s), 1);
	services_release(old, s);
	assert_int_equal(services_old(s), 1);
	services_release(old, s);
	assert_int_equal(services_old(s), 0);
	uv_run(&loop, UV_RUN_ONCE); /* it goes */

	assert_int_equal(services_reload(s, last, &why), 0);
	assert_string_equal(chosen(s, "sip", ROLE_CALLER), "none");
	assert_int_equal(services_old(s), 1);
	buf_free(&why);
	finish(s); /* with a leg still counted */
	config_free(c);
}

/* What cannot be opened, and what it says; nothing stays behind. */
static void test_what_cannot_be_opened(void **state)
{
	static const struct {
		const char *only, *routes;
		int err;
		const char *says;
	} bad[] = {
		{ "absent", "", -ENOENT, "no such asr is configured" },
		{ "", "", -ENOENT, "no such asr is configured" },
		{ "open", "", -EACCES, "chmod 600" },
		{ NULL, "route { asr = \"open\" }", -EACCES, "chmod 600" },
		{ NULL, "route { asr = \"first\" role = \"agent\" }\n"
			"route { asr = \"open\" }", -EACCES, "chmod 600" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct config *c = config(bad[i].routes);
		struct services *s = NULL;
		struct buf why = {0};

		print_message("row: %zu\n", i);
		assert_int_equal(services_open(&s, c, bad[i].only, &loop,
					       &why), bad[i].err);
		assert_null(s);
		assert_non_null(strstr(buf_str(&why), bad[i].says));
		assert_null(strstr(buf_str(&why), "three")); /* the secret */
		uv_run(&loop, UV_RUN_DEFAULT);
		buf_free(&why);
		config_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_gets_which),
		cmocka_unit_test(test_each_is_opened_once_with_its_fallback),
		cmocka_unit_test(test_all_that_sip_calls_could_get_is_down),
		cmocka_unit_test(test_a_reload),
		cmocka_unit_test(test_what_cannot_be_opened),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
