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
"usage: trunkscribectl COMMAND [-s SOCKET] [--json]\n"
"\n"
"  status            how it stands with the daemon\n"
"  calls             all calls, a line each\n"
"  call ID           a call and its legs: where they come from, how well, what\n"
"                    waits, what their ASR does and did\n"
"  hangup ID         end a call (SIP: with BYE)\n"
"  pause ID          nothing of it reaches an ASR, the journal or a log from now on\n"
"  resume ID         until now\n"
"  metrics           the figures, as Prometheus gets them\n"
"  doctor            what is wrong with the machine and the settings, and the fix\n"
"  reload            read the configuration again, for new calls\n"
"  asr enable|disable NAME\n"
"                    whether new legs get it, or its fallback, or none\n"
"  loglevel LEVEL    error, warn, info or debug, until the next start\n"
"  drain [--cancel]  take no new calls; those there are go on\n"
"  events [--name NAME] [--from WHERE]\n"
"                    print every event, a line of JSON each, as it happens\n"
"  tail [ID] [--from WHERE] [--once]\n"
"                    print the transcript of all calls, or of the call ID, as\n"
"                    people read it: one line for each final piece, the parties\n"
"                    side by side\n"
"\n"
"  ID           of a call, or of one of its legs\n"
"  -s SOCKET    the daemon's control socket (/run/trunkscribe/control.sock), for\n"
"               events and tail its event socket (/run/trunkscribe/events.sock)\n"
"  --json       as one line of JSON; events are that anyway, tail has none\n"
"  --name NAME  acknowledge what was printed, so that the next start with the\n"
"               same name and --from resume misses nothing\n"
"  --from WHERE where to begin: now, oldest, resume (where NAME stopped) or\n"
"               EPOCH:SEQ.  Default: now; resume with a name; oldest with an ID\n"
"  --once       end when the first call has ended; an ID implies it\n"
"  --cancel     take new calls again\n"
"\n"
"Exit code: 0 ended as asked, 2 no daemon, or it refused or went away, 64 usage.\n";

static int usage(const char *what, const char *which)
{
	fprintf(stderr, "trunkscribectl: %s%s\n\n%s", what, which, help);
	return USAGE;
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

/* What is asked of the control socket. */
static const struct verb {
	const char *name;
	int (*run)(const struct options *o);
	bool id;        /* takes one */
	const char *words; /* before that, one of these; NULL: none */
} verbs[] = {
	{ "status", command_status, false, NULL },
	{ "drain", command_drain, false, NULL },
	{ "calls", command_calls, false, NULL },
	{ "call", command_call, true, NULL },
	{ "hangup", command_done, true, NULL },
	{ "pause", command_done, true, NULL },
	{ "resume", command_done, true, NULL },
	{ "metrics", command_metrics, false, NULL },
	{ "doctor", command_doctor, false, NULL },
	{ "reload", command_reload, false, NULL },
	{ "asr", command_asr, true, "enable disable" },
	{ "loglevel", command_loglevel, false, "error warn info debug" },
};

static const struct verb *verb_of(const char *command)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (!strcmp(command, verbs[i].name))
			return &verbs[i];
	return NULL;
}

static bool is_one_of(const char *word, const char *words)
{
	const size_t n = strlen(word);

	for (const char *at = words; n && (at = strstr(at, word)); at += n)
		if ((at == words || at[-1] == ' ') &&
		    (at[n] == 0 || at[n] == ' '))
			return true;
	return false;
}

static int run_verb(const struct verb *v, char **arguments, struct options *o)
{
	if (v->words) {
		if (!*arguments || !is_one_of(*arguments, v->words))
			return usage("what? say one of: ", v->words);
		o->word = *arguments++;
	}
	if (v->id && v->words) {
		if (!*arguments)
			return usage("which one? name it: ", v->name);
		o->id = *arguments++;
	} else if (v->id) {
		if (!*arguments)
			return usage("which call or leg? name it: ", v->name);
		o->id = *arguments++;
		if (!is_id(o->id))
			return usage("no call's id: ", o->id);
	}
	if (*arguments)
		return usage("one argument too many: ", *arguments);
	if (o->name || o->from || o->once)
		return usage("--name, --from and --once are for events and "
			     "tail", "");
	if (o->cancel && strcmp(v->name, "drain") != 0)
		return usage("--cancel is for drain", "");
	if (!o->socket)
		o->socket = "/run/trunkscribe/control.sock";
	o->verb = v->name;
	return v->run(o);
}

static int run(const char *command, char **arguments, struct options *o)
{
	const struct verb *v = verb_of(command);

	if (v)
		return run_verb(v, arguments, o);
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
