/** @file test_redact.c  daemon/pub/redact.c */
#include "daemon/pub/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

/* What came out: "NUMBER.REV STATE text [words]" a line. */
static void on_event(const struct event *e, void *arg)
{
	static const char states[] = "pfr";
	struct buf *out = arg;
	const struct event_segment *s = &e->segment;

	if (e->type != EVENT_SEGMENT) {
		buf_puts(out, "other\n");
		return;
	}
	buf_printf(out, "%s %u.%u %c %s", e->leg, (unsigned)s->segment,
		   (unsigned)s->rev, states[s->state], s->text);
	for (size_t i = 0; i < s->n_words; i++)
		buf_printf(out, "%s%s", i ? " " : " [", s->words[i].text);
	buf_puts(out, s->n_words ? "]\n" : "\n");
}

struct step {
	const char *leg;          /* NULL: the end */
	unsigned segment, rev;
	enum segment_state state;
	unsigned start_s, end_s;
	const char *text;         /* NULL: leg.end */
	bool words;               /* the text's, at its blanks */
};

static const struct {
	const char *name;
	struct step steps[12];
	const char *wanted;
} rows[] = {
	{ "within one segment",
	  { { "a", 1, 1, SEGMENT_PARTIAL, 0, 2, "it is 4111 1111", true },
	    { "a", 1, 2, SEGMENT_PARTIAL, 0, 4, "it is 4111 1111 1111 1111", true },
	    { "a", 1, 3, SEGMENT_FINAL, 0, 4, "It is 4111 1111 1111 1111.", true } },
	  "a 1.1 p it is 4111 1111 [it is 4111 1111]\n"
	  "a 1.2 p it is **** **** **** **** [it is **** **** **** ****]\n"
	  "a 1.3 f It is **** **** **** ****. [It is **** **** **** ****.]\n" },
	{ "over two finals, the first again",
	  { { "a", 1, 2, SEGMENT_FINAL, 0, 4, "it is 4111 1111", true },
	    { "a", 2, 1, SEGMENT_PARTIAL, 6, 7, "1111", false },
	    { "a", 2, 2, SEGMENT_PARTIAL, 6, 8, "1111 1111", false },
	    { "a", 2, 3, SEGMENT_FINAL, 6, 9, "1111 1111 right", true } },
	  "a 1.2 f it is 4111 1111 [it is 4111 1111]\n"
	  "a 2.1 p 1111\n"
	  "a 2.2 p **** ****\n"
	  "a 1.3 f it is **** **** [it is **** ****]\n"
	  "a 2.3 f **** **** right [**** **** right]\n" },
	{ "its revisions count on",
	  { { "a", 1, 1, SEGMENT_FINAL, 0, 4, "4111 1111", false },
	    { "a", 2, 1, SEGMENT_FINAL, 5, 9, "1111 1111", false },
	    { "a", 1, 2, SEGMENT_FINAL, 0, 4, "4111, 1111", false },
	    { "a", 2, 2, SEGMENT_FINAL, 5, 9, "1111 1112", false } },
	  "a 1.1 f 4111 1111\n"
	  "a 1.2 f **** ****\n"
	  "a 2.1 f **** ****\n"
	  "a 1.3 f ****, ****\n"
	  "a 1.4 f 4111, 1111\n"
	  "a 2.2 f 1111 1112\n" },
	{ "over four finals",
	  { { "a", 1, 1, SEGMENT_FINAL, 0, 2, "four one one one", false },
	    { "a", 2, 1, SEGMENT_FINAL, 3, 4, "one one one one", false },
	    { "a", 3, 1, SEGMENT_FINAL, 5, 6, "1111", false },
	    { "a", 4, 1, SEGMENT_FINAL, 7, 9, "eleven eleven.", false } },
	  "a 1.1 f four one one one\n"
	  "a 2.1 f one one one one\n"
	  "a 3.1 f 1111\n"
	  "a 1.2 f * * * *\n"
	  "a 2.2 f * * * *\n"
	  "a 3.2 f ****\n"
	  "a 4.1 f ** **.\n" },
	{ "more than 5 s between",
	  { { "a", 1, 1, SEGMENT_FINAL, 0, 4, "4111 1111", false },
	    { "a", 2, 1, SEGMENT_FINAL, 10, 12, "1111 1111", false } },
	  "a 1.1 f 4111 1111\na 2.1 f 1111 1111\n" },
	{ "5 s between",
	  { { "a", 1, 1, SEGMENT_FINAL, 0, 4, "4111 1111", false },
	    { "a", 2, 1, SEGMENT_FINAL, 9, 12, "1111 1111", false } },
	  "a 1.1 f 4111 1111\na 1.2 f **** ****\na 2.1 f **** ****\n" },
	{ "two legs are two",
	  { { "a", 1, 1, SEGMENT_FINAL, 0, 4, "4111 1111", false },
	    { "b", 1, 1, SEGMENT_FINAL, 4, 6, "1111 1111", false },
	    { "a", 2, 1, SEGMENT_FINAL, 5, 7, "1111 1111", false } },
	  "a 1.1 f 4111 1111\nb 1.1 f 1111 1111\n"
	  "a 1.2 f **** ****\na 2.1 f **** ****\n" },
	{ "words between",
	  { { "a", 1, 1, SEGMENT_FINAL, 0, 4, "4111 1111", false },
	    { "a", 2, 1, SEGMENT_FINAL, 4, 5, "hold on", false },
	    { "a", 3, 1, SEGMENT_FINAL, 5, 7, "1111 1111", false } },
	  "a 1.1 f 4111 1111\na 2.1 f hold on\na 3.1 f 1111 1111\n" },
	{ "taken back",
	  { { "a", 1, 1, SEGMENT_FINAL, 0, 4, "4111 1111", false },
	    { "a", 2, 1, SEGMENT_PARTIAL, 4, 5, "1111 1111", false },
	    { "a", 2, 2, SEGMENT_RETRACTED, 4, 5, "1111 1111", false },
	    { "a", 3, 1, SEGMENT_FINAL, 4, 5, "no more", false } },
	  "a 1.1 f 4111 1111\na 2.1 p **** ****\na 2.2 r **** ****\n"
	  "a 3.1 f no more\n" },
	{ "a leg is over",
	  { { "a", 1, 1, SEGMENT_FINAL, 0, 4, "4111 1111", false },
	    { "a", 0, 0, SEGMENT_FINAL, 0, 0, NULL, false },
	    { "a", 2, 1, SEGMENT_FINAL, 4, 5, "1111 1111", false } },
	  "a 1.1 f 4111 1111\nother\na 2.1 f 1111 1111\n" },
	{ "finals out of order",
	  { { "a", 2, 1, SEGMENT_FINAL, 4, 6, "1111 1111", false },
	    { "a", 1, 1, SEGMENT_FINAL, 0, 4, "4111 1111", false } },
	  "a 2.1 f 1111 1111\na 2.2 f **** ****\na 1.1 f **** ****\n" },
};

static void emit(const struct step *s, struct redact *r)
{
	struct event_word words[16];
	struct event e = { .type = s->text ? EVENT_SEGMENT : EVENT_LEG_END,
			   .call = "c", .leg = s->leg };
	char *text = s->text ? strdup(s->text) : NULL, *copy = NULL, *rest;
	size_t n = 0;

	if (text) {
		copy = strdup(text);
		for (char *w = strtok_r(copy, " ", &rest); s->words && w;
		     w = strtok_r(NULL, " ", &rest))
			words[n++] = (struct event_word){
				.text = w, .start = EVENT_UNKNOWN,
				.end = EVENT_UNKNOWN, .confidence = -1 };
		e.segment = (struct event_segment){
			.segment = s->segment, .rev = s->rev,
			.state = s->state, .text = text,
			.start = 8000ull * s->start_s,
			.end = 8000ull * s->end_s, .words = words,
			.n_words = n,
		};
	}
	redact_sink(&e, r);
	free(text);   /* nothing borrowed outlives the event */
	free(copy);
}

static void test_numbers_are_masked_over_segments(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf out = {0};
		struct redact *r;

		print_message("%s\n", rows[i].name);
		assert_int_equal(redact_new(&r, (struct event_sink){
				 on_event, &out }), 0);
		for (const struct step *s = rows[i].steps; s->leg; s++)
			emit(s, r);
		assert_string_equal(buf_str(&out), rows[i].wanted);
		redact_free(r);
		buf_free(&out);
	}
	redact_free(NULL);
}

/* The longest way to say one: each digit a final. */
static void test_a_digit_a_segment(void **state)
{
	struct buf out = {0};
	struct redact *r;

	(void)state;
	assert_int_equal(redact_new(&r, (struct event_sink){ on_event, &out }),
			 0);
	for (unsigned i = 0; i < 116; i++) /* others before it */
		emit(&(struct step){ "a", i + 1, 1, SEGMENT_FINAL, i, i + 1,
				     i < 100 ? "well" : i == 100 ? "4" : "1",
				     false }, r);
	for (unsigned i = 100; i < 115; i++) {
		char again[32];

		snprintf(again, sizeof again, "a %u.2 f *\n", i + 1);
		assert_non_null(strstr(buf_str(&out), again));
	}
	assert_non_null(strstr(buf_str(&out), "a 116.1 f *\n"));
	redact_free(r);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_masked_over_segments),
		cmocka_unit_test(test_a_digit_a_segment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
