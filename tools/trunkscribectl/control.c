/** @file control.c  trunkscribectl status, drain: a question, an answer */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/trunkscribectl/client.h"

enum { FAILED = 2 };

/* @return the answer, or NULL: what failed has been said */
static json_t *ask(const char *socket, const char *question)
{
	struct client *c = NULL;
	json_t *answer = NULL;
	char *line;
	size_t len;
	int err = client_open(&c, socket);

	if (err) {
		fprintf(stderr, "trunkscribectl: %s: %s; is trunkscribed "
			"running, and is this its control socket (-s)?\n",
			socket, strerror(-err));
		return NULL;
	}
	err = client_say(c, question);
	if (!err && client_line(c, &line, &len) == 1)
		answer = json_loadb(line, len, 0, NULL);
	client_close(c);
	if (!answer)
		fprintf(stderr, "trunkscribectl: %s: no answer\n", socket);
	return answer;
}

static long long number(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

static void print_status(const json_t *s)
{
	const char *version = json_string_value(json_object_get(s, "version"));
	const json_t *rtp = json_object_get(s, "rtp");
	const json_t *sip = json_object_get(s, "sip");
	const json_t *capture = json_object_get(s, "capture");

	printf("%-12s %s\n", "version", version ? version : "?");
	printf("%-12s %lld s\n", "up for", number(s, "uptime_s"));
	printf("%-12s %s\n", "draining",
	       json_is_true(json_object_get(s, "draining"))
		       ? "yes: no new calls" : "no");
	printf("%-12s %lld\n", "calls", number(s, "calls"));
	if (sip) {
		printf("%-12s %lld of %lld legs\n", "SIP calls",
		       number(sip, "calls"), number(sip, "legs"));
		printf("%-12s %lld, %lld refused\n", "SIP requests",
		       number(sip, "requests"), number(sip, "refused"));
	}
	if (capture) {
		printf("%-12s %s\n", "capture",
		       json_is_true(json_object_get(capture, "up"))
			       ? "up" : "DOWN: see daemon.capture_down");
		printf("%-12s %lld, %lld dropped by the kernel\n", "frames",
		       number(capture, "frames"), number(capture, "dropped"));
	}
	if (!rtp)
		return;
	printf("%-12s %lld\n", "RTP legs", number(rtp, "legs"));
	printf("%-12s %lld of %lld pairs\n", "RTP ports",
	       number(rtp, "ports_used"), number(rtp, "ports"));
	printf("%-12s %lld, %lld of nobody\n", "RTP packets",
	       number(rtp, "packets"), number(rtp, "foreign"));
}

static int put_json(const json_t *o)
{
	const int err = json_dumpf(o, stdout, JSON_COMPACT);

	puts("");
	return err;
}

static int run(const struct options *o, const char *question)
{
	json_t *answer = ask(o->socket, question);
	const json_t *status = json_object_get(answer, "status");
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (!answer)
		return FAILED;
	if (!json_is_true(json_object_get(answer, "ok")))
		fprintf(stderr, "trunkscribectl: %s\n",
			error ? error : "refused, without a reason");
	else if (o->json)
		put_json(status);
	else
		print_status(status);
	const int code = json_is_true(json_object_get(answer, "ok")) ? 0
								     : FAILED;
	json_decref(answer);
	return fflush(stdout) ? FAILED : code;
}

int command_status(const struct options *o)
{
	return run(o, "{\"do\":\"status\"}");
}

int command_drain(const struct options *o)
{
	return run(o, o->cancel ? "{\"do\":\"drain\",\"cancel\":true}"
				: "{\"do\":\"drain\"}");
}
