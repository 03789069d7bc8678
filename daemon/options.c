/** @file options.c  The command line of trunkscribed */
#include "daemon/options.h"

#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPEED_MAX 10000.0

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "test", no_argument, NULL, 't' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ "probe", required_argument, NULL, 'p' },
	{ "replay", required_argument, NULL, 'r' },
	{ "asr", required_argument, NULL, 'a' },
	{ "speed", required_argument, NULL, 's' },
	{ "events", required_argument, NULL, 'e' },
	{ "wav", required_argument, NULL, 'w' },
	{ "log", required_argument, NULL, 'l' },
	{ 0 },
};

void options_help(void)
{
	fputs("usage: trunkscribed [-c FILE]         run\n"
	      "       trunkscribed -t [-c FILE]      check the configuration\n"
	      "       trunkscribed --probe NAME [-c FILE]\n"
	      "                                      try one asr\n"
	      "       trunkscribed --replay CAPTURE [-c FILE] [--asr NAME|none]\n"
	      "                    [--speed N|max] [--events FILE|-] [--wav DIR]\n"
	      "                                      transcribe a pcap or pcapng file\n"
	      "       trunkscribed --version | --help\n"
	      "\n"
	      "  -c FILE        configuration (default for a service:\n"
	      "                 /etc/trunkscribe/trunkscribe.conf; a replay needs none)\n"
	      "  --asr NAME     all legs go to this asr; none: decode only\n"
	      "                 (without it the configuration's routes decide)\n"
	      "  --speed N      N times real time (default 1); max: as fast as the\n"
	      "                 asr takes it\n"
	      "  --events FILE  write the event lines there; -: to stdout\n"
	      "  --wav DIR      write each leg's audio to DIR/LEG.wav\n"
	      "  --log LEVEL    error, warn (default), info or debug, on stderr\n"
	      "\n"
	      "exit: 0 ok, 1 configuration, 2 runtime, 3 input file, 64 usage\n",
	      stdout);
}

static int usage(const char *what)
{
	fprintf(stderr, "trunkscribed: %s; see --help\n", what);
	return EXIT_USAGE;
}

static int speed(double *out, const char *text)
{
	char *end;

	if (!strcmp(text, "max")) {
		*out = 0;
		return 0;
	}

	const double v = strtod(text, &end);
	if (!*text || *end || !isfinite(v) || v <= 0 || v > SPEED_MAX)
		return usage("--speed takes a number above 0 (1 is real time), "
			     "or max");
	*out = v;
	return 0;
}

/* Options of a replay without one are mistakes, not wishes; so are two things
 * to do at once. */
static int check(const struct options *o, bool of_replay, int whats)
{
	if (whats > 1)
		return usage("-t, --probe, --replay, --version and --help "
			     "go alone");
	if (of_replay && o->what != DO_REPLAY)
		return usage("--asr, --speed, --events and --wav go with "
			     "--replay CAPTURE");
	return 0;
}

int options_parse(struct options *out, int argc, char **argv)
{
	struct options o = { .what = DO_RUN, .speed = 1 };
	bool of_replay = false;
	int c, whats = 0;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":c:th", longs, NULL)) != -1) {
		of_replay |= c == 'a' || c == 's' || c == 'e' || c == 'w';
		whats += c == 't' || c == 'V' || c == 'h' || c == 'p' ||
			 c == 'r';
		switch (c) {
		case 'c': o.config = optarg; break;
		case 't': o.what = DO_CHECK; break;
		case 'V': o.what = DO_VERSION; break;
		case 'h': o.what = DO_HELP; break;
		case 'p': o.what = DO_PROBE; o.probe = optarg; break;
		case 'r': o.what = DO_REPLAY; o.capture = optarg; break;
		case 'a': o.asr = optarg; break;
		case 'e': o.events = optarg; break;
		case 'w': o.wav = optarg; break;
		case 'l': o.log = optarg; break;
		case 's':
			if (speed(&o.speed, optarg))
				return EXIT_USAGE;
			break;
		case ':':
			return usage("an option lacks its value");
		default:
			return usage("an option is not known");
		}
	}
	if (optind < argc)
		return usage("there is an argument too many");
	if (check(&o, of_replay, whats))
		return EXIT_USAGE;
	*out = o;
	return 0;
}
