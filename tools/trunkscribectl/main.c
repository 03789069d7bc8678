/** @file main.c  trunkscribectl: the operator's tool */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/base/stdio_open.h"
#include "tools/trunkscribectl/client.h"

enum { USAGE = 64, FROM = 256, NAME, ONCE, JSON, CANCEL, HELP, VERSION };

static const char help[] =
"usage: trunkscribectl events [-s SOCKET] [--name NAME] [--from WHERE]\n"
"       trunkscribectl tail [ID] [-s SOCKET] [--from WHERE] [--once]\n"
"       trunkscribectl status [-s SOCKET] [--json]\n"
"       trunkscribectl drain [--cancel] [-s SOCKET] [--json]\n"
"\n"
"  events   print every event, a line of JSON each, as it happens\n"
"  tail     print the transcript of all calls, or of the call ID, as people\n"
"           read it: one line for each final piece, the parties side by side\n"
"  status   how it stands with the daemon\n"
"  drain    take no new calls; those there are go on\n"
"\n"
"  -s SOCKET    the daemon's event socket (/run/trunkscribe/events.sock), for\n"
"               status and drain its control socket\n"
"               (/run/trunkscribe/control.sock)\n"
"  --name NAME  acknowledge what was printed, so that the next start with the\n"
"               same name and --from resume misses nothing\n"
"  --from WHERE where to begin: now, oldest, resume (where NAME stopped) or\n"
"               EPOCH:SEQ.  Default: now; resume with a name; oldest with an ID\n"
"  --once       end when the first call has ended; an ID implies it\n"
"  --json       as one line of JSON\n"
"  --cancel     take new calls again\n"
"\n"
"Exit code: 0 ended as asked, 2 no daemon or it went away, 64 usage.\n";

static int usage(const char *what, const char *which)
{
	fprintf(stderr, "trunkscribectl: %s%s\n\n%s", what, which, help);
	return USAGE;
}

/* In INTERFACES, but not in this version. */
static bool is_planned(const char *command)
{
	static const char *const planned[] = {
		"calls", "call", "metrics", "pause", "resume", "hangup",
		"reload",
	};

	for (size_t i = 0; i < ARRAY_LEN(planned); i++)
		if (!strcmp(command, planned[i]))
			return true;
	return false;
}

static bool is_id(const char *text)
{
	const size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	return n > 0 && n <= 64 && text[n] == 0;
}

static bool is_place(const char *text)
{
	const size_t hex = strspn(text, "0123456789abcdef");

	if (!strcmp(text, "now") || !strcmp(text, "oldest") ||
	    !strcmp(text, "resume"))
		return true;
	if (hex != 16 || text[hex] != ':')
		return false;
	const size_t digits = strspn(text + hex + 1, "0123456789");
	return digits > 0 && digits <= 18 && text[hex + 1 + digits] == 0;
}

static int run_control(const char *command, char **arguments,
		       struct options *o)
{
	const bool drain = !strcmp(command, "drain");

	if (*arguments)
		return usage("one argument too many: ", *arguments);
	if (o->name || o->from || o->once)
		return usage("--name, --from and --once are for events and "
			     "tail", "");
	if (o->cancel && !drain)
		return usage("--cancel is for drain", "");
	if (!o->socket)
		o->socket = "/run/trunkscribe/control.sock";
	return drain ? command_drain(o) : command_status(o);
}

static int run(const char *command, char **arguments, struct options *o)
{
	if (is_planned(command)) {
		fprintf(stderr, "trunkscribectl: \"%s\" is not in version %s "
			"yet; there are events, tail, status and drain\n", command,
			TRUNKSCRIBE_VERSION);
		return USAGE;
	}
	if (!strcmp(command, "status") || !strcmp(command, "drain"))
		return run_control(command, arguments, o);
	if (o->json || o->cancel)
		return usage(o->json ? "--json" : "--cancel",
			     " is not for this command");
	if (!o->socket)
		o->socket = "/run/trunkscribe/events.sock";
	const bool tail = !strcmp(command, "tail");
	if (!tail && strcmp(command, "events") != 0)
		return usage("no such command: ", command);
	if (tail && *arguments)
		o->id = *arguments++;
	if (*arguments)
		return usage("one argument too many: ", *arguments);
	if (o->id && !is_id(o->id))
		return usage("no call's id: ", o->id);
	if (tail && o->name)
		return usage("--name is for events", "");
	if (!tail && o->once)
		return usage("--once is for tail", "");
	if (o->name && !is_id(o->name))
		return usage("--name: one to 64 of A-Z a-z 0-9 . _ -", "");
	if (o->from && !is_place(o->from))
		return usage("--from: now, oldest, resume or EPOCH:SEQ, not ",
			     o->from);
	if (o->from && !strcmp(o->from, "resume") && !o->name)
		return usage("--from resume needs --name", "");
	return tail ? command_tail(o) : command_events(o);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "from", required_argument, NULL, FROM },
		{ "name", required_argument, NULL, NAME },
		{ "once", no_argument, NULL, ONCE },
		{ "json", no_argument, NULL, JSON },
		{ "cancel", no_argument, NULL, CANCEL },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },
		{ 0 },
	};
	struct options o = {0};
	int c;

	if (stdio_open())
		return 2;
	while ((c = getopt_long(argc, argv, "s:h", options, NULL)) != -1) {
		switch (c) {
		case 's':  o.socket = optarg; break;
		case FROM: o.from = optarg; break;
		case NAME: o.name = optarg; break;
		case ONCE: o.once = true; break;
		case JSON: o.json = true; break;
		case CANCEL: o.cancel = true; break;
		case VERSION:
			puts("trunkscribectl " TRUNKSCRIBE_VERSION);
			return 0;
		case 'h':
		case HELP:
			fputs(help, stdout);
			return 0;
		default:
			fprintf(stderr, "\n%s", help);
			return USAGE;
		}
	}
	if (optind == argc)
		return usage("which command?", "");
	return run(argv[optind], argv + optind + 1, &o);
}
