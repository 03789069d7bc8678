/** @file test_options.c  daemon/options.c: the command line */
#include "daemon/options.h"

#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

enum { WORDS_MAX = 20 };

static const struct {
	const char *line;      /* words after the program's name */
	int ret;
	enum options_do what;
	double speed;
} rows[] = {
	{ "", 0, DO_RUN, 1 },
	{ "-c f", 0, DO_RUN, 1 },
	{ "-t", 0, DO_CHECK, 1 },
	{ "-t -c f", 0, DO_CHECK, 1 },
	{ "--version", 0, DO_VERSION, 1 },
	{ "--help", 0, DO_HELP, 1 },
	{ "-h", 0, DO_HELP, 1 },
	{ "--probe main -c f", 0, DO_PROBE, 1 },
	{ "--replay x", 0, DO_REPLAY, 1 },
	{ "--replay x --speed max", 0, DO_REPLAY, 0 },
	{ "--replay x --speed 2.5", 0, DO_REPLAY, 2.5 },
	{ "--speed 0.5 --replay x", 0, DO_REPLAY, 0.5 },
	{ "--replay x --asr none --events - --wav d -c f", 0, DO_REPLAY, 1 },
	{ "--replay x --speed 0", EXIT_USAGE, 0, 0 },
	{ "--replay x --speed -1", EXIT_USAGE, 0, 0 },
	{ "--replay x --speed nan", EXIT_USAGE, 0, 0 },
	{ "--replay x --speed inf", EXIT_USAGE, 0, 0 },
	{ "--replay x --speed 1x", EXIT_USAGE, 0, 0 },
	{ "--replay x --speed 10001", EXIT_USAGE, 0, 0 },
	{ "--replay", EXIT_USAGE, 0, 0 },
	{ "-c", EXIT_USAGE, 0, 0 },
	{ "--replay x y", EXIT_USAGE, 0, 0 },
	{ "x", EXIT_USAGE, 0, 0 },
	{ "--unknown", EXIT_USAGE, 0, 0 },
	{ "-x", EXIT_USAGE, 0, 0 },
	{ "--asr none", EXIT_USAGE, 0, 0 },
	{ "--events -", EXIT_USAGE, 0, 0 },
	{ "--wav d -t", EXIT_USAGE, 0, 0 },
	{ "--speed 1", EXIT_USAGE, 0, 0 },
	/* one thing at a time */
	{ "--replay x -t", EXIT_USAGE, 0, 0 },
	{ "--probe a --replay x", EXIT_USAGE, 0, 0 },
	{ "-t --version", EXIT_USAGE, 0, 0 },
};

static int parse(struct options *out, char *line)
{
	char program[] = "trunkscribed";
	char *argv[WORDS_MAX + 1] = { program };
	char *rest = NULL;
	int argc = 1;

	for (char *w = strtok_r(line, " ", &rest); w && argc < WORDS_MAX;
	     w = strtok_r(NULL, " ", &rest))
		argv[argc++] = w;
	optind = 0;   /* glibc: begin anew */
	return options_parse(out, argc, argv);
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct options o = { .speed = 4711 };
		char *line = strdup(rows[i].line);

		assert_non_null(line);
		print_message("row: %s\n", rows[i].line);
		assert_int_equal(parse(&o, line), rows[i].ret);
		if (rows[i].ret) {
			assert_true(o.speed == 4711);   /* untouched */
		} else {
			assert_int_equal(o.what, rows[i].what);
			assert_true(o.speed == rows[i].speed);
		}
		free(line);
	}
}

static void test_values_arrive(void **state)
{
	char line[] = "--replay cap --asr main --events ev --wav dir -c conf "
		      "--log debug";
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, line), 0);
	assert_string_equal(o.capture, "cap");
	assert_string_equal(o.asr, "main");
	assert_string_equal(o.events, "ev");
	assert_string_equal(o.wav, "dir");
	assert_string_equal(o.config, "conf");
	assert_string_equal(o.log, "debug");
	assert_null(o.probe);

	char none[] = "";

	assert_int_equal(parse(&o, none), 0);
	assert_null(o.config);
	assert_null(o.asr);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_values_arrive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
