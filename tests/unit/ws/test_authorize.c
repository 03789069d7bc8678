/** @file test_authorize.c  daemon/ws/authorize.c */
#include "daemon/ws/authorize.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"

/* RFC 7617 section 2: Aladdin, open sesame. */
#define ALADDIN "Aladdin:open sesame"

static const struct {
	const char *header, *secret;
	bool matches;
} rows[] = {
	{ "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", ALADDIN, true },
	{ "basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ==", ALADDIN, true },
	{ "Bearer mF_9.B5f-4.1JqM", "mF_9.B5f-4.1JqM", true },
	{ "BEARER mF_9.B5f-4.1JqM", "mF_9.B5f-4.1JqM", true },
	{ "Bearer mF_9.B5f-4.1JqN", "mF_9.B5f-4.1JqM", false },
	{ "Bearer mF_9.B5f-4.1Jq", "mF_9.B5f-4.1JqM", false },
	{ "Bearer mF_9.B5f-4.1JqMM", "mF_9.B5f-4.1JqM", false },
	{ "Bearer aa", "a", false },
	{ "Bearer ", "a", false },
	{ "Bearer ", "", false },
	{ "Basic ", "", false },
	{ "Bearer", "a", false },
	{ "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", ALADDIN, false },
	{ "Basic QWxhZGRpbjpvcGVuIHNlc2FtZA==", ALADDIN, false },
	{ "Basic !", ALADDIN, false },
	{ "Basic " ALADDIN, ALADDIN, false },
	{ "Digest username=\"a\"", ALADDIN, false },
	{ "Basicx QWxhZGRpbjpvcGVuIHNlc2FtZQ==", ALADDIN, false },
	{ ALADDIN, ALADDIN, false },
	{ "", ALADDIN, false },
	{ NULL, ALADDIN, false },
};

static void test_who_knows_the_secret(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const size_t len = strlen(rows[i].secret);
		char *header = rows[i].header ? strdup(rows[i].header) : NULL;
		char *secret = malloc(len + !len); /* without its NUL */

		memcpy(secret, rows[i].secret, len);
		if (authorize_matches(header, secret, len) != rows[i].matches)
			fail_msg("%s", rows[i].header);
		free(header);
		free(secret);
	}
}

static void test_a_header_without_end_is_refused(void **state)
{
	char *header = malloc(65536);

	(void)state;
	memset(header, 'A', 65535);
	header[65535] = 0;
	memcpy(header, "Basic ", 6);
	assert_false(authorize_matches(header, ALADDIN, strlen(ALADDIN)));
	free(header);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_knows_the_secret),
		cmocka_unit_test(test_a_header_without_end_is_refused),
	};

	return cmocka_run_group_tests_name("authorize", tests, NULL, NULL);
}
