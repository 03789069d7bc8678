/** @file control.c  trunkscribectl status, drain: how it stands with the daemon */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/trunkscribectl/ask.h"

static void print_status(const json_t *s)
{
	const char *version = json_string_value(json_object_get(s, "version"));
	const json_t *rtp = json_object_get(s, "rtp");
	const json_t *sip = json_object_get(s, "sip");
	const json_t *capture = json_object_get(s, "capture");

	printf("%-12s %s\n", "version", version ? version : "?");
	printf("%-12s %lld s\n", "up for", number_of(s, "uptime_s"));
	printf("%-12s %s\n", "draining",
	       json_is_true(json_object_get(s, "draining"))
		       ? "yes: no new calls" : "no");
	printf("%-12s %lld\n", "calls", number_of(s, "calls"));
	if (sip) {
		printf("%-12s %lld of %lld legs\n", "SIP calls",
		       number_of(sip, "calls"), number_of(sip, "legs"));
		printf("%-12s %lld, %lld refused\n", "SIP requests",
		       number_of(sip, "requests"), number_of(sip, "refused"));
	}
	if (capture) {
		printf("%-12s %s\n", "capture",
		       json_is_true(json_object_get(capture, "up"))
			       ? "up" : "DOWN: see daemon.capture_down");
		printf("%-12s %lld, %lld dropped by the kernel\n", "frames",
		       number_of(capture, "frames"), number_of(capture, "dropped"));
	}
	if (!rtp)
		return;
	printf("%-12s %lld\n", "RTP legs", number_of(rtp, "legs"));
	printf("%-12s %lld of %lld pairs\n", "RTP ports",
	       number_of(rtp, "ports_used"), number_of(rtp, "ports"));
	printf("%-12s %lld, %lld of nobody\n", "RTP packets",
	       number_of(rtp, "packets"), number_of(rtp, "foreign"));
}

/* "12 s", "3 min", "5 h" */
static void ago(char text[32], long long ms)
{
	const long long s = ms / 1000;

	snprintf(text, 32, s < 120 ? "%lld s" : s < 7200 ? "%lld min" : "%lld h",
		 s < 120 ? s : s < 7200 ? s / 60 : s / 3600);
}

static void put_asr(const json_t *a)
{
	const char *down = text_of(a, "text"), *last = text_of(a, "last_error");
	const json_t *latency = json_object_get(a, "final_latency_ms");
	char when[32];

	printf("  %-16.40s %-9s %lld legs", text_of(a, "asr"),
	       text_of(a, "state"), number_of(a, "legs"));
	if (latency)
		printf(", finals after %lld ms",
		       (long long)json_integer_value(latency));
	puts("");
	if (down)
		printf("    down: %s\n", down);
	if (last && (!down || strcmp(down, last) != 0)) {
		ago(when, number_of(a, "last_error_ago_ms"));
		printf("    last error, %s ago: %s\n", when, last);
	}
}

static void put_events(const json_t *journal, const json_t *all)
{
	const char *trouble = text_of(journal, "trouble");
	json_t *n;
	size_t i;

	printf("%-12s events %lld to %lld, %s", "journal",
	       number_of(journal, "first"), number_of(journal, "next") - 1,
	       json_is_true(json_object_get(journal, "on_disk"))
		       ? "on disk" : "in memory only");
	printf(trouble ? ", but not now: %s; see to the disk\n" : "%s\n",
	       trouble ? trouble : "");
	printf("%-12s %lld connected, %lld events lost to them\n",
	       "subscribers", number_of(all, "connected"),
	       number_of(all, "lost"));
	json_array_foreach(json_object_get(all, "names"), i, n)
		printf("  %-16.40s %s, %lld events behind\n",
		       text_of(n, "name"),
		       json_is_true(json_object_get(n, "connected"))
			       ? "connected" : "away", number_of(n, "behind"));
}

static void put_problems(const json_t *all)
{
	char when[32];
	json_t *p;
	size_t i;

	if (json_array_size(all))
		puts("last problems");
	json_array_foreach((json_t *)all, i, p) {
		const char *asr = text_of(p, "asr"), *text = text_of(p, "text");
		const long long times = number_of(p, "times");

		ago(when, number_of(p, "ago_ms"));
		printf("  %s ago, %s%s%s%s", when, text_of(p, "what"),
		       asr ? " (" : "", asr ? asr : "", asr ? ")" : "");
		if (times > 1)
			printf(", %lld times", times);
		printf(text ? ": %s\n" : "%s\n", text ? text : "");
	}
}

static void print_more(const json_t *s)
{
	const json_t *legs = json_object_get(s, "legs");
	const char *state;
	json_t *n;
	size_t i;

	printf("%-12s ", "legs");
	if (!json_object_size(legs))
		printf("none");
	json_object_foreach((json_t *)legs, state, n)
		printf("%lld %s  ", (long long)json_integer_value(n), state);
	printf("\n%-12s %zu\n", "asrs",
	       json_array_size(json_object_get(s, "asrs")));
	json_array_foreach(json_object_get(s, "asrs"), i, n)
		put_asr(n);
	put_events(json_object_get(s, "journal"),
		   json_object_get(s, "subscribers"));
	put_problems(json_object_get(s, "problems"));
}

static int run(const struct options *o, json_t *question)
{
	json_t *answer = ask(o, question);
	const json_t *status = json_object_get(answer, "status");

	if (!answer)
		return FAILED;
	if (o->json)
		put_json(status);
	else
		print_status(status);
	if (!o->json)
		print_more(status);
	json_decref(answer);
	return fflush(stdout) ? FAILED : 0;
}

int command_status(const struct options *o)
{
	return run(o, json_pack("{s:s}", "do", "status"));
}

int command_drain(const struct options *o)
{
	return run(o, json_pack("{s:s, s:b}", "do", "drain", "cancel",
				o->cancel));
}

int command_reload(const struct options *o)
{
	json_t *answer = ask(o, json_pack("{s:s}", "do", "reload"));
	const char *restart = text_of(answer, "restart");

	if (!answer)
		return FAILED;
	if (o->json) {
		put_json(answer);
	} else {
		puts("the configuration holds for new calls");
		if (restart && *restart)
			printf("these wait for a restart: %s\n", restart);
	}
	json_decref(answer);
	return fflush(stdout) ? FAILED : 0;
}

static void print_findings(const json_t *all)
{
	json_t *f;
	size_t i;

	json_array_foreach((json_t *)all, i, f) {
		const bool ok = json_is_true(json_object_get(f, "ok"));

		if (ok)
			printf("ok     %s\n", text_of(f, "check"));
		else
			printf("WRONG  %s: %s\n       do: %s\n",
			       text_of(f, "check"), text_of(f, "text"),
			       text_of(f, "fix"));
	}
}

int command_doctor(const struct options *o)
{
	json_t *answer = ask(o, json_pack("{s:s}", "do", "doctor"));
	const json_t *all = json_object_get(answer, "findings");

	if (!answer)
		return FAILED;
	if (o->json)
		put_json(all);
	else
		print_findings(all);
	json_decref(answer);
	return fflush(stdout) ? FAILED : 0;
}

static int tell(const struct options *o, json_t *question)
{
	json_t *answer = ask(o, question);

	if (answer && o->json)
		put_json(answer);
	json_decref(answer);
	return !answer || fflush(stdout) ? FAILED : 0;
}

int command_asr(const struct options *o)
{
	return tell(o, json_pack("{s:s, s:s, s:b}", "do", "asr", "asr", o->id,
				 "enable", !strcmp(o->word, "enable")));
}

int command_loglevel(const struct options *o)
{
	return tell(o, json_pack("{s:s, s:s}", "do", "loglevel", "level",
				 o->word));
}
