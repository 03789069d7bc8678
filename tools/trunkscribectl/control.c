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
