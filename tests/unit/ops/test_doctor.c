/** @file test_doctor.c  Each finding, provoked once; and none where all is well */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/ops/doctor.h"

#define NOW 1700000000

static struct doctor_asr asr;
static struct doctor_facts f;

static void healthy(void)
{
	asr = (struct doctor_asr){ .name = "a",
				   .not_after_s = NOW + 14 * 86400 };
	f = (struct doctor_facts){
		.socket = { "/c", "/e" }, .mode = { 0660, 0660 },
		.port_warnings = "", .ports_used = 89, .ports = 100,
		.rmem_max = 100, .rmem = 100, .clock_synchronised = 1,
		.now_s = NOW, .asrs = &asr, .n_asrs = 1, .journal = "/j",
		.disk_free = 5 << 20, .disk_wanted = 5 << 20,
		.files = 1000, .files_used = 899,
	};
}

static void control_open(void) { f.mode[0] = 0666; }
static void events_open(void) { f.mode[1] = 0662; }
static void no_key(void) { asr.key_error = "k: others can read it"; }
static void two_warnings(void) { f.port_warnings = "one\ntwo\n"; }
static void ports_full(void) { f.ports_used = 90; }
static void drops(void) { f.drops = 3; }
static void small_buffers(void) { f.rmem_max = 99; }
static void loose_clock(void) { f.clock_synchronised = 0; }
static void certificate(void) { asr.not_after_s--; }
static void down(void) { asr.down = "refused"; }
static void journal(void) { f.journal_trouble = "No space left on device"; }
static void full(void) { f.disk_free--; }
static void files(void) { f.files_used = 900; }
static void unknown(void)
{
	f.socket[0] = f.socket[1] = NULL;
	f.mode[0] = 0777;
	f.ports = f.ports_used = 0;
	f.rmem_max = 0;
	f.clock_synchronised = -1;
	asr.not_after_s = 0;
	f.journal = "";
	f.disk_free = 0;
	f.files = 0;
}

static const struct row {
	const char *name;
	void (*provoke)(void);
	const char *found;
} rows[] = {
	{ "all is well", NULL, "" },
	{ "what is not known is not wrong", unknown, "" },
	{ "control", control_open, "permissions: anybody on this machine may "
	  "use the control socket /c (mode 0666)\n" },
	{ "events", events_open, "permissions: anybody on this machine may "
	  "use the events socket /e (mode 0662)\n" },
	{ "key", no_key, "permissions: asr \"a\": k: others can read it\n" },
	{ "ports", two_warnings, "ports: one\nports: two\n" },
	{ "ports full", ports_full,
	  "ports: 90 of 100 pairs of RTP ports are in use or rest\n" },
	{ "drops", drops, "udp: the kernel dropped 3 datagrams that our "
	  "sockets had no room for\n" },
	{ "buffers", small_buffers,
	  "udp: a socket may keep 99 bytes, 100 are asked for\n" },
	{ "clock", loose_clock, "clock: nobody keeps the clock right: times of "
	  "events, and what is made of certificates, may be wrong\n" },
	{ "certificate", certificate,
	  "certificates: the certificate of asr \"a\" ends in 13 days\n" },
	{ "asr", down, "asr: asr \"a\" is down: refused\n" },
	{ "journal", journal, "disk: the journal is not on disk: No space left "
	  "on device\n" },
	{ "disk", full, "disk: /j has 4 MiB left, the journal may want 5 "
	  "more\n" },
	{ "files", files, "files: 900 of 1000 file descriptors are in use\n" },
};

struct seen {
	struct buf found;
	unsigned well;
};

static void on_finding(const struct doctor_finding *x, void *arg)
{
	struct seen *s = arg;

	s->well += !x->text;
	if (!x->text)
		return;
	assert_true(strlen(x->fix) > 10);
	buf_printf(&s->found, "%s: %s\n", x->check, x->text);
}

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct seen s = {0};

		healthy();
		if (rows[i].provoke)
			rows[i].provoke();
		doctor_judge(&f, on_finding, &s);
		if (strcmp(buf_str(&s.found), rows[i].found) != 0 ||
		    s.well != (*rows[i].found ? 7 : 8))
			fail_msg("%s: %s", rows[i].name, buf_str(&s.found));
		buf_free(&s.found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_rows) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
