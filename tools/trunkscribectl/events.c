/**
 * @file events.c  trunkscribectl events: the reference subscriber
 *
 * Prints every line as it came.  With a name it acknowledges what stdout has
 * taken, never before: who kills it anywhere misses nothing at the next start
 * with --from resume, and may see a few lines twice.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/trunkscribectl/client.h"

static void on_signal(int signal)
{
	(void)signal;
	_exit(0);
}

/* What the daemon says last explains why it closes. */
static void explain(const char *line)
{
	json_t *o = json_loads(line, 0, NULL);
	const char *type = json_string_value(json_object_get(o, "type"));
	const char *why = json_string_value(json_object_get(o, "reason"));

	if (type && why && !strcmp(type, "bye"))
		fprintf(stderr, "trunkscribectl: the daemon says goodbye: %s\n",
			why);
	json_decref(o);
}

static json_int_t seq_of(const char *line)
{
	json_t *o = json_loads(line, 0, NULL);
	const json_int_t seq = json_integer_value(json_object_get(o, "seq"));

	json_decref(o);
	return seq;
}

static int acknowledge(struct client *c, json_int_t seq)
{
	char text[48];

	snprintf(text, sizeof(text), "{\"ack\":%" JSON_INTEGER_FORMAT "}", seq);
	return client_say(c, text);
}

/* One line to stdout; what it tells about us is noted.  0 or -errno */
static int print_line(char *line, size_t len, bool named, json_int_t *seen)
{
	line[len] = '\n'; /* where the line feed was */
	if (fwrite(line, 1, len + 1, stdout) != len + 1)
		return -errno;
	line[len] = 0;
	if (strstr(line, "\"type\":\"bye\""))
		explain(line);
	if (named && strstr(line, "\"seq\":")) {
		const json_int_t seq = seq_of(line);
		*seen = seq > *seen ? seq : *seen;
	}
	return 0;
}

int command_events(const struct options *o)
{
	const char *from = o->from ? o->from : o->name ? "resume" : "now";
	struct client *c = NULL;
	json_int_t seen = 0, acked = 0;
	char *line;
	size_t len;
	int err = 0, got;

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (client_subscribe(&c, o, from, false)) {
		client_close(c);
		return 2;
	}
	while (!err && (got = client_line(c, &line, &len)) != 0) {
		err = got < 0 ? got : print_line(line, len, o->name, &seen);
		if (err || client_has_line(c))
			continue;
		if (fflush(stdout))
			err = -errno;
		else if (seen > acked && !acknowledge(c, seen))
			acked = seen;
	}
	fprintf(stderr, "trunkscribectl: %s\n",
		err ? strerror(-err) : "the daemon closed the connection");
	client_close(c);
	return 2;
}
