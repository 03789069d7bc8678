/** @file test_recording.c  daemon/ingress/recording.c */
#include "daemon/ingress/recording.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

#define R "<recording>"
#define E "</recording>"
#define PARTIAL R "<datamode>partial</datamode>"
#define P(id, aor) "<participant participant_id='" id "'><nameID aor='" aor \
	"'/></participant>"
#define S(id, label) "<stream stream_id='" id "'><label>" label \
	"</label></stream>"
#define L(who, what) "<participantstreamassoc participant_id='" who \
	"'><send>" what "</send></participantstreamassoc>"
#define GONE(who) "<participantsessionassoc participant_id='" who \
	"'><disassociate-time>1</disassociate-time></participantsessionassoc>"
#define TWO P("p1", "sip:1@x") P("p2", "sip:2@x") S("a", "1") S("b", "2") \
	L("p1", "a") L("p2", "b")

static struct buf out;

static void print_identity(const struct event_id *ids, size_t n_ids,
			   const struct event_participant *p, size_t n)
{
	for (size_t i = 0; i < n_ids; i++)
		buf_printf(&out, " %s=%s", ids[i].name, ids[i].value);
	for (size_t i = 0; i < n; i++)
		buf_printf(&out, " [%s %s %s %s %s]", p[i].id, p[i].aor,
			   role_name(p[i].role), p[i].label ? p[i].label : "-",
			   p[i].stream ? p[i].stream : "-");
}

static void on_event(const struct event *e, void *arg)
{
	(void)arg;
	if (e->type != EVENT_CALL_UPDATE)
		return;
	buf_puts(&out, "update");
	print_identity(e->call_update.ids, e->call_update.n_ids,
		       e->call_update.participants,
		       e->call_update.n_participants);
	buf_puts(&out, "\n");
}

static void on_line(unsigned i, const struct recording_line *l,
		    const char *label, void *arg)
{
	(void)arg;
	buf_printf(&out, "line %u %s %s %s\n", i, role_name(l->role),
		   l->role_source, label ? label : "-");
}

/* Each row goes on where the one before ended */
static const struct row {
	const char *name;
	const char *lines;      /* labels of the m-lines in use; "-": not used */
	const char *xml;        /* NULL: none came */
	int err;
	const char *want;
} life[] = {
	{ "it begins", "1 2", R "<session session_id='s'><sipSessionID>x;y"
	  "</sipSessionID></session>" TWO "<ucid>7</ucid><other>8</other>" E, 0,
	  "start siprec_session=s sip_session_id=x;y ucid=7"
	  " [p1 sip:1@x caller 1 a] [p2 sip:2@x agent 2 b] 1@x>2@x\n"
	  "0 caller participants\n1 agent participants\n" },
	{ "the same again", "1 2", PARTIAL E, 0, "" },
	{ "no metadata", "1 2", NULL, 0, "" },
	{ "metadata that is none", "1 2", "<recording>", -EBADMSG, "" },
	{ "a DTD", "1 2", "<!DOCTYPE recording><recording/>", -EBADMSG, "" },
	{ "the agent has left: its line stays what it was", "1 2",
	  PARTIAL GONE("p2") E, 0,
	  "update [p1 sip:1@x caller 1 a]\n" },
	{ "another agent", "1 2", PARTIAL P("p3", "sip:3@x") L("p3", "b") E, 0,
	  "update [p1 sip:1@x caller 1 a] [p3 sip:3@x agent 2 b]\n" },
	{ "another id", "1 2", PARTIAL "<ucid>8</ucid>" E, 0,
	  "update siprec_session=s sip_session_id=x;y ucid=8\n" },
	{ "the lines have changed places", "2 1", NULL, 0,
	  "line 0 agent participants 2\nline 1 caller participants 1\n" },
	{ "and back", "1 2", NULL, 0,
	  "line 0 caller participants 1\nline 1 agent participants 2\n" },
	{ "a line with a label nobody knows", "9 2", NULL, 0,
	  "line 0 caller labels 9\n" },
	{ "and another", "8 2", NULL, 0, "line 0 caller labels 8\n" },
	{ "and as it was", "1 2", NULL, 0,
	  "line 0 caller participants 1\n" },
	{ "its vendor says who called", "1 2", PARTIAL "<participant "
	  "participant_id='p3'><x><callingParty>true</callingParty></x>"
	  "</participant>" E, 0,
	  "update [p1 sip:1@x agent 1 a] [p3 sip:3@x caller 2 b]\n"
	  "line 0 agent calling_party -\nline 1 caller calling_party -\n" },
	{ "one line left", "1 -", NULL, 0, "" },
	{ "a third line: it begins with all this", "1 - 2", NULL, 0, "" },
	{ "both speak on one", "1", PARTIAL L("p3", "a") E, 0,
	  "update [p1 sip:1@x agent 1 a] [p3 sip:3@x caller 1 a]\n"
	  "line 0 mixed mixed -\n" },
};

static void set_lines(struct recording *r, const char *labels)
{
	char words[64], *save = NULL;
	unsigned i = 0;

	memcpy(words, labels, strlen(labels) + 1);
	for (char *w = strtok_r(words, " ", &save); w;
	     w = strtok_r(NULL, " ", &save))
		recording_line_set(r, i++, strcmp(w, "-") != 0, w);
	while (i < SDP_MEDIA_MAX)
		recording_line_set(r, i++, false, "");
}

static void take(struct recording *r, const struct row *x)
{
	char *exact;

	if (x->xml) {
		exact = malloc(strlen(x->xml));
		assert_non_null(exact);
		memcpy(exact, x->xml, strlen(x->xml));
		assert_int_equal(recording_take(r, exact, strlen(x->xml)),
				 x->err);
		free(exact);
	}
	set_lines(r, x->lines);
	recording_settle(r);
}

static void start(struct recording *r)
{
	struct recording_identity who;

	recording_start(r, &who);
	buf_puts(&out, "start");
	print_identity(who.ids, who.n_ids, who.participants,
		       who.n_participants);
	if (who.calling || who.called)
		buf_printf(&out, " %s>%s", who.calling ? who.calling : "",
			   who.called ? who.called : "");
	buf_puts(&out, "\n");
	for (unsigned i = 0; i < SDP_MEDIA_MAX; i++)
		if (recording_line(r, i)->used)
			buf_printf(&out, "%u %s %s\n", i,
				   role_name(recording_line(r, i)->role),
				   recording_line(r, i)->role_source);
}

static struct service *choose(const struct leg_facts *f, void *arg)
{
	(void)f;
	(void)arg;
	return NULL;
}

static void test_a_life(void **state)
{
	struct recording *r;
	struct timers *timers;
	struct calls *calls;
	struct call *c;

	(void)state;
	assert_int_equal(timers_new(&timers), 0);
	assert_int_equal(calls_new(&calls, &(struct calls_config){
		.timers = timers, .events = { on_event, NULL },
		.choose = choose }), 0);
	assert_int_equal(call_open(&c, calls, &(struct call_info){
		.id = "c1", .source = "siprec" }), 0);
	assert_int_equal(recording_new(&r, NULL), 0);
	for (size_t i = 0; i < ARRAY_LEN(life); i++) {
		print_message("row: %s\n", life[i].name);
		take(r, &life[i]);
		if (i == 0)
			start(r);
		else
			recording_tell(r, c, on_line, NULL);
		assert_string_equal(buf_str(&out), life[i].want);
		buf_clear(&out);
	}
	recording_free(r);
	call_end(c, "bye");
	buf_free(&out);
	calls_free(calls);
	timers_free(timers);
}

/* Without metadata, and with the operator's words */
static void test_beginnings(void **state)
{
	static const char *const agents[] = { "1@*", NULL };
	static const char *const wanted[] = { "OTHER", NULL };
	static const struct {
		const struct row row;
		struct recording_config cfg;
	} rows[] = {
		{ { "no metadata, two lines", "1 2", NULL, 0,
		    "start\n0 caller labels\n1 agent labels\n" }, { .extensions = NULL } },
		{ { "no metadata, one line", "x", NULL, 0,
		    "start\n0 mixed mixed\n" }, { .extensions = NULL } },
		{ { "no lines", "", R TWO E, 0,
		    "start [p1 sip:1@x caller 1 a] [p2 sip:2@x agent 2 b]"
		    " 1@x>2@x\n" },
		  { .extensions = NULL } },
		{ { "an agent's address", "1 2", R TWO E, 0,
		    "start [p1 sip:1@x agent 1 a] [p2 sip:2@x caller 2 b]"
		    " 2@x>1@x\n"
		    "0 agent operator\n1 caller operator\n" },
		  { .rules.agent = agents } },
		{ { "swapped", "1 2", NULL, 0,
		    "start\n0 agent operator\n1 caller operator\n" },
		  { .rules.swap = true } },
		{ { "another extension", "1", R "<ucid>7</ucid><other>8</other>"
		    E, 0, "start OTHER=8\n0 mixed mixed\n" },
		  { .extensions = wanted } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct recording *r;

		print_message("row: %s\n", rows[i].row.name);
		assert_int_equal(recording_new(&r, &rows[i].cfg), 0);
		take(r, &rows[i].row);
		start(r);
		assert_string_equal(buf_str(&out), rows[i].row.want);
		buf_clear(&out);
		recording_free(r);
	}
	buf_free(&out);
}

/* CUBE's headers: parties by the index of their m-line */
static void test_headers(void **state)
{
	static const struct {
		const char *name, *recorded, *want; /* NULL: with lines */
	} rows[] = {
		{ "two lines", "sip:1@x;media-index=\"0\","
		  "sip:2@x;media-index=\"1\"", NULL },
		{ "two parties", "sip:1@x;media-index=\"0\","
		  "sip:2@x;media-index=\"1\"",
		  "start [0 sip:1@x caller - -] [1 sip:2@x agent - -] 1@x>2@x\n"
		},
		{ "without quotes, other parameters", "sip:1@x;a=b;media-index=0",
		  "start [0 sip:1@x caller - -] 1@x>\n" },
		{ "characters of XML", "sip:<&'\">@x;media-index=\"2\"",
		  "start [2 sip:<&'\">@x caller - -] <&'\">@x>\n" },
		{ "no index", "sip:1@x;y", "start\n" },
		{ "no number", "sip:1@x;media-index=\"x\"", "start\n" },
		{ "too large a number", "sip:1@x;media-index=8", "start\n" },
		{ "cut off", "sip:1@x;media-index=\"", "start\n" },
		{ "nothing between", ",,;,media-index=0,", "start\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct recording *r;

		print_message("row: %s\n", rows[i].name);
		assert_int_equal(recording_new(&r, NULL), 0);
		assert_int_equal(recording_take_headers(r, rows[i].recorded),
				 0);
		if (!rows[i].want) { /* lines without labels, but in order */
			recording_line_set(r, 0, true, "");
			recording_line_set(r, 1, true, "");
		}
		recording_settle(r);
		start(r);
		assert_string_equal(buf_str(&out), rows[i].want ? rows[i].want :
			"start [0 sip:1@x caller - -] [1 sip:2@x agent - -] "
			"1@x>2@x\n0 caller participants\n"
			"1 agent participants\n");
		buf_clear(&out);
		recording_free(r);
	}
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_life),
		cmocka_unit_test(test_beginnings),
		cmocka_unit_test(test_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
