/** @file test_uuid.c  daemon/base/uuid.c */
#include "daemon/base/uuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

/* RFC 9562 appendix A.3; printed NULL: refused. */
static const struct {
	const char *text, *printed;
} rows[] = {
	{ "919108f7-52d1-4320-9bac-f847db4148a8",
	  "919108f7-52d1-4320-9bac-f847db4148a8" },
	{ "919108F7-52D1-4320-9BAC-F847DB4148A8",
	  "919108f7-52d1-4320-9bac-f847db4148a8" },
	{ "00000000-0000-0000-0000-000000000000",
	  "00000000-0000-0000-0000-000000000000" },
	{ "919108f7-52d1-4320-9bac-f847db4148a", NULL },
	{ "919108f7-52d1-4320-9bac-f847db4148a8 ", NULL },
	{ "919108f7-52d1-4320-9bac-f847db4148a80", NULL },
	{ "919108f752d143209bacf847db4148a8", NULL },
	{ "919108f7-52d1-4320-9bacf-847db4148a8", NULL },
	{ "919108f7-52d1-4320-9bac-f847db4148g8", NULL },
	{ "{919108f7-52d1-4320-9bac-f847db4148a8}", NULL },
	{ "919108f7-", NULL },
	{ "", NULL },
};

static void test_uuids_are_read_and_printed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = strdup(rows[i].text), printed[UUID_TEXT];
		uint8_t uuid[16] = { 0xaa };
		const int err = uuid_parse(uuid, text);

		free(text);
		if (!rows[i].printed
		    ? !err || uuid[0] != 0xaa
		    : err || strcmp(uuid_print(printed, uuid),
				    rows[i].printed))
			fail_msg("\"%s\"", rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_uuids_are_read_and_printed),
	};

	return cmocka_run_group_tests_name("uuid", tests, NULL, NULL);
}
