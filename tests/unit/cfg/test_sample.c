/**
 * @file test_sample.c  daemon/cfg/sample.c and conf/trunkscribe.conf.sample
 *
 * After a change of the table: build/tests/unit/cfg/test_sample --write
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/buf.h"
#include "daemon/cfg/config.h"
#include "daemon/cfg/table.h"

static const char path[] = "conf/trunkscribe.conf.sample";

static void read_file(struct buf *out)
{
	FILE *f = fopen(path, "r");
	char part[4096];
	size_t n;

	if (!f)
		fail_msg("%s: not there; run the tests in the project's top "
			 "directory", path);
	while (f && (n = fread(part, 1, sizeof(part), f)) > 0)
		buf_add(out, part, n);
	if (f)
		fclose(f);
}

static void test_the_committed_sample_is_the_printed_one(void **state)
{
	struct buf want = {0}, got = {0};

	(void)state;
	read_file(&got);
	assert_int_equal(config_print_sample(&want), 0);
	if (strcmp(buf_str(&want), buf_str(&got)) != 0)
		fail_msg("%s is not what the table says; run this test with "
			 "--write", path);
	buf_free(&want);
	buf_free(&got);
}

static void test_as_it_stands_it_is_a_good_file(void **state)
{
	struct buf text = {0}, errors = {0};
	struct config *c = NULL;

	(void)state;
	assert_int_equal(config_print_sample(&text), 0);
	assert_int_equal(config_parse(&c, "t", buf_str(&text), text.len,
				      &errors), 0);
	config_free(c);
	buf_free(&text);
}

/* The sample with the first "#" of each line of these sections gone. */
static void uncomment(struct buf *out, const char *sample, bool later)
{
	bool take = false;

	for (const char *line = sample; *line;) {
		const size_t len = strcspn(line, "\n");

		if (len > 1 && line[0] == '#' && line[1] >= 'a' &&
		    line[1] <= 'z' && line[len - 1] == '{') {
			char name[16];
			const size_t n = strcspn(line + 1, " ");

			assert_true(n < sizeof(name));
			memcpy(name, line + 1, n);
			name[n] = '\0';
			assert_non_null(config_section_find(name));
			take = later || !config_section_find(name)->later;
		}
		if (take && *line == '#')
			buf_add(out, line + 1, len - 1);
		if (len == 2 && !strncmp(line, "#}", 2))
			take = false;
		buf_puts(out, "\n");
		line += len + (line[len] == '\n');
	}
}

static void test_uncommented_it_holds_the_defaults(void **state)
{
	struct buf sample = {0}, text = {0}, errors = {0};
	struct config *c = NULL, *d = NULL;

	(void)state;
	assert_int_equal(config_print_sample(&sample), 0);
	uncomment(&text, buf_str(&sample), false);
	if (config_parse(&c, "t", buf_str(&text), text.len, &errors))
		fail_msg("%s", buf_str(&errors));
	assert_int_equal(config_default(&d), 0);
	assert_true(c->events.given && c->control.given && c->journal.given);
	assert_string_equal(c->events.socket, d->events.socket);
	assert_int_equal(c->events.mode, d->events.mode);
	assert_string_equal(c->events.group, d->events.group);
	assert_int_equal(c->dtmf, d->dtmf);
	assert_string_equal(c->control.socket, d->control.socket);
	assert_int_equal(c->control.mode, d->control.mode);
	assert_string_equal(c->journal.directory, d->journal.directory);
	assert_int_equal(c->journal.size, d->journal.size);
	assert_int_equal(c->journal.age_ms, d->journal.age_ms);
	assert_true(c->capture.given);
	assert_string_equal(c->capture.interface, "eth0");
	assert_int_equal(c->n_asrs, 1);
	assert_string_equal(c->asrs[0].vendor, "bodhi");
	assert_int_equal(c->asrs[0].chunk_ms, 100);
	assert_int_equal(c->asrs[0].n_params, 2);
	assert_int_equal(c->n_routes, 1);
	config_free(c);
	config_free(d);

	/* sections of later versions: each refused, nothing else wrong */
	buf_clear(&text);
	uncomment(&text, buf_str(&sample), true);
	c = NULL;
	size_t refused = 0, later = 0;

	for (size_t i = 0; i < config_n_sections; i++)
		later += config_sections[i].later;
	assert_int_equal(config_parse(&c, "t", buf_str(&text), text.len,
				      &errors) != 0, later > 0);
	config_free(c);

	for (const char *line = buf_str(&errors); *line;) {
		const char *nl = strchr(line, '\n');
		const char *what = strstr(line, "is not built yet; remove it");

		assert_true(nl && what && what < nl);
		refused++;
		line = nl + 1;
	}
	assert_int_equal(refused, later);
	buf_free(&sample);
	buf_free(&text);
	buf_free(&errors);
}

static int write_sample(void)
{
	struct buf text = {0};
	FILE *f = fopen(path, "w");
	int err = !f || config_print_sample(&text) ||
		  fwrite(text.data, 1, text.len, f) != text.len;

	if (f && fclose(f))
		err = 1;
	buf_free(&text);
	return err;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_committed_sample_is_the_printed_one),
		cmocka_unit_test(test_as_it_stands_it_is_a_good_file),
		cmocka_unit_test(test_uncommented_it_holds_the_defaults),
	};

	if (argc == 2 && !strcmp(argv[1], "--write"))
		return write_sample();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
