/** @file main.c  asr-sim: a stand-in for ASR services, never a recogniser */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "codecs/codec.h"
#include "daemon/base/array.h"
#include "daemon/base/log.h"
#include "daemon/base/number.h"
#include "daemon/base/stdio_open.h"
#include "daemon/net/tls.h"
#include "tools/asr-sim/sim.h"

enum { EXIT_CONFIG = 1, EXIT_RUN = 2, EXIT_USAGE = 64 };

static const char usage[] =
	"usage: asr-sim --dialect NAME --listen HOST:PORT [options]\n"
	"\n"
	"Speaks an ASR service's protocol from the service's side, for demos,\n"
	"tests and load.  It recognises nothing: its words are made up from the\n"
	"audio it got.\n"
	"\n"
	"  --dialect NAME      bodhi, camb, fireworks, smallest, deepgram,\n"
	"                      vosk\n"
	"  --flavour NAME      \"new\" (default) or \"seed\", where a service's newer\n"
	"                      pages and its older ones differ:\n"
	"    bodhi seed        the older host: x-customer-id as well as x-api-key\n"
	"    camb seed         is_final is always false; words in every Results\n"
	"    fireworks seed    ids are strings; no words, so nothing is final\n"
	"    smallest seed     finalize ends the stream, close_stream is not known;\n"
	"                      words are in word_timestamps\n"
	"    vosk cpp          (default: python) knows no config, takes it for audio\n"
	"  --listen HOST:PORT  an address; port 0 chooses one.  \"listening\n"
	"                      HOST:PORT\" is printed on stdout when it serves\n"
	"  --tls-cert FILE     certificate chain, PEM: serve wss\n"
	"  --tls-key FILE      its key\n"
	"  --script FILE       faults on purpose, one line a connection\n"
	"  --words N           up to N (1-200) made-up words a segment, one for each\n"
	"                      350 ms of speech.  Without it a final's text is\n"
	"                      \"pcm8000 FIRST-LAST crc32 HEX\": the rate, the first\n"
	"                      and last sample on the connection, and the CRC-32 of\n"
	"                      those samples as PCM16LE; a partial's the first two.\n"
	"                      G.711 is decoded first.  Where audio has 16 kHz\n"
	"                      (fireworks) it is \"pcm16000\", samples and all\n"
	"  --report FILE       one JSON object a connection, when it is over: what\n"
	"                      it sent, and what the service's pages forbid (\"-\":\n"
	"                      stdout)\n"
	"  --dump DIR          the audio of connection N as PCM16LE in DIR/N.pcm;\n"
	"                      G.711 also as it came, in DIR/N.mulaw or DIR/N.alaw\n"
	"  --expect-key FILE   refuse (HTTP 401) any other key\n"
	"  --help\n"
	"\n"
	"A segment ends at a pause after speech, or after 8 s; each begins where\n"
	"the last one ended, silence included.  Partials come with every chunk.\n"
	"vosk: one reply a chunk, so a segment ends with the chunk of its pause.\n"
	"\n"
	"Script: the n-th line is for the n-th connection, the last one for all\n"
	"that follow; \"3x \" in front: for three.  Faults of a line are separated\n"
	"by ';':\n"
	"  ok | http STATUS [retry-after SECONDS] | delay TIME | wrong-accept |\n"
	"  error CODE [other] | close CODE | fin | reset | stall [TIME] | mute |\n"
	"  slow BYTES | pings COUNT | big BYTES | bad-json [COUNT] | wild-times |\n"
	"  twice | raw HEX | ready-delay TIME (camb: of its Ready) | retract |\n"
	"  grow (fireworks: the open segment is taken back; is told as final and\n"
	"  goes on)\n"
	"and when: \"after TIME\" (500ms, 2s), \"after N samples\", \"after eof\";\n"
	"without it at once.  '#' begins a comment.\n"
	"\n"
	"Exit: 0 ended by a signal, 1 configuration, 2 runtime, 64 usage.\n";

struct options {
	const char *dialect, *flavour, *listen, *cert, *key, *script, *words;
	const char *report, *dump, *expect_key;
	bool help;
};

static int fail(int code, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int fail(int code, const char *fmt, ...)
{
	va_list ap;

	fputs("asr-sim: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

static int read_options(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{ "dialect", required_argument, NULL, 0 },
		{ "flavour", required_argument, NULL, 1 },
		{ "listen", required_argument, NULL, 2 },
		{ "tls-cert", required_argument, NULL, 3 },
		{ "tls-key", required_argument, NULL, 4 },
		{ "script", required_argument, NULL, 5 },
		{ "words", required_argument, NULL, 6 },
		{ "report", required_argument, NULL, 7 },
		{ "dump", required_argument, NULL, 8 },
		{ "expect-key", required_argument, NULL, 9 },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char **to[] = {
		&o->dialect, &o->flavour, &o->listen, &o->cert, &o->key,
		&o->script, &o->words, &o->report, &o->dump, &o->expect_key,
	};
	int at;

	while ((at = getopt_long(argc, argv, "h", names, NULL)) != -1) {
		if (at == 'h')
			o->help = true;
		else if (at >= 0 && at < (int)ARRAY_LEN(to))
			*to[at] = optarg;
		else
			return EXIT_USAGE;
	}
	if (o->help)
		return 0;
	if (optind < argc)
		return fail(EXIT_USAGE, "what is \"%s\"? see --help", argv[optind]);
	if (!o->dialect || !o->listen)
		return fail(EXIT_USAGE, "--dialect and --listen are needed; see "
			    "--help");
	if (!o->cert != !o->key)
		return fail(EXIT_USAGE, "--tls-cert and --tls-key go together");
	return 0;
}

/* -- values ------------------------------------------------------------------- */

static int read_file(struct buf *out, const char *path)
{
	FILE *f = fopen(path, "rb");
	char part[4096];
	size_t n;

	if (!f)
		return -errno;
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		buf_add(out, part, n);
	const int err = ferror(f) ? -EIO : out->err;

	fclose(f);
	return err;
}

static int read_listen(struct addr *out, const char *text)
{
	const char *colon = strrchr(text, ':');
	struct addr at;
	uint64_t port;

	if (!colon || number_parse(&port, colon + 1, strlen(colon + 1), 65535))
		return -EINVAL;
	const char *host = text;
	size_t n = (size_t)(colon - text);

	if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
	}
	if (n == 9 && !memcmp(host, "localhost", 9)) {
		host = "127.0.0.1";
		n = 9;
	}
	if (addr_parse(&at, host, n))
		return -EINVAL;
	at.port = (uint16_t)port;
	*out = at;
	return 0;
}

static int choose_flavour(struct sim *s, const char *name)
{
	const char *const *f = s->dialect->flavours;

	s->flavour = f && *f ? *f : "";
	/* "new" is what every service speaks today */
	if (!name || !strcmp(name, "new"))
		return 0;
	for (; f && *f; f++)
		if (!strcmp(*f, name)) {
			s->flavour = *f;
			return 0;
		}
	return fail(EXIT_USAGE, "%s has no flavour \"%s\"", s->dialect->name,
		    name);
}

/* Faults that only some dialects have. */
static int check_specials(const struct sim *s, const char *path)
{
	const struct dialect *d = s->dialect;
	const unsigned own = d->specials |
			     (d->ready ? 1u << FAULT_READY_DELAY : 0);

	for (size_t i = 0; i < s->script.n; i++)
		for (size_t k = 0; k < s->script.plans[i].n; k++) {
			const enum fault_kind f =
				s->script.plans[i].faults[k].kind;

			if (f >= FAULT_READY_DELAY && !(own & 1u << f))
				return fail(EXIT_CONFIG, "%s: \"%s\": not in "
					    "the dialect %s", path,
					    s->script.plans[i].text, d->name);
		}
	return 0;
}

static int read_script(struct sim *s, const char *path)
{
	struct buf text = {0}, why = {0};
	int code = 0;

	if (!path)
		return 0;
	const int err = read_file(&text, path);

	if (err)
		code = fail(EXIT_CONFIG, "%s: %s", path, strerror(-err));
	else if (script_parse(&s->script, buf_str(&text), &why))
		code = fail(EXIT_CONFIG, "%s: %s; see --help", path,
			    buf_str(&why));
	else
		code = check_specials(s, path);
	buf_free(&text);
	buf_free(&why);
	return code;
}

static int read_key(struct sim *s, const char *path)
{
	struct buf text = {0};
	const int err = path ? read_file(&text, path) : 0;

	if (err) {
		buf_free(&text);
		return fail(EXIT_CONFIG, "%s: %s", path, strerror(-err));
	}
	if (path)
		s->expect_key = strndup(buf_str(&text),
					strcspn(buf_str(&text), "\r\n"));
	buf_free(&text);
	return path && !s->expect_key ? EXIT_RUN : 0;
}

static int open_report(struct sim *s, const char *path)
{
	if (!path)
		return 0;
	s->report = strcmp(path, "-") ? fopen(path, "w") : stdout;
	if (!s->report)
		return fail(EXIT_CONFIG, "%s: %s", path, strerror(errno));
	return 0;
}

static int check_dump(struct sim *s, const char *path)
{
	struct stat st;

	s->dump = path;
	if (path && (stat(path, &st) || !S_ISDIR(st.st_mode)))
		return fail(EXIT_CONFIG, "%s: no such directory", path);
	return 0;
}

static int configure(struct sim *s, const struct options *o)
{
	uint64_t words = 0;
	int code;

	s->dialect = dialect_by_name(o->dialect);
	if (!s->dialect)
		return fail(EXIT_USAGE, "no dialect \"%s\"; see --help",
			    o->dialect);
	if (o->words && (number_parse(&words, o->words, strlen(o->words),
				      FILLER_WORDS_MAX) || words == 0))
		return fail(EXIT_USAGE, "--words is 1 to %d", FILLER_WORDS_MAX);
	s->words = (unsigned)words;
	if ((code = choose_flavour(s, o->flavour)) ||
	    (code = read_script(s, o->script)) ||
	    (code = read_key(s, o->expect_key)) ||
	    (code = check_dump(s, o->dump)))
		return code;
	return open_report(s, o->report);
}

/* -- the run --------------------------------------------------------------------- */

struct run {
	struct sim sim;
	uv_loop_t loop;
	uv_signal_t term, interrupt;
};

static void on_signal(uv_signal_t *h, int number)
{
	struct run *r = h->data;

	(void)number;
	uv_close((uv_handle_t *)&r->term, NULL);
	uv_close((uv_handle_t *)&r->interrupt, NULL);
	sim_close(&r->sim);
}

/* Thousands of clients are as many descriptors. */
static void raise_files(void)
{
	struct rlimit l;

	if (!getrlimit(RLIMIT_NOFILE, &l)) {
		l.rlim_cur = l.rlim_max;
		setrlimit(RLIMIT_NOFILE, &l);
	}
}

static int serve(struct run *r, const struct options *o,
		 const struct tls_context *tls)
{
	char text[ADDR_TEXT];
	struct addr at;

	if (read_listen(&at, o->listen))
		return fail(EXIT_USAGE, "--listen is ADDRESS:PORT, not \"%s\"",
			    o->listen);
	const int err = sim_open(&r->sim, &at, tls);

	if (err)
		return fail(EXIT_RUN, "cannot listen on %s: %s", o->listen,
			    strerror(-err));
	r->term.data = r->interrupt.data = r;
	uv_signal_init(&r->loop, &r->term);
	uv_signal_init(&r->loop, &r->interrupt);
	uv_signal_start(&r->term, on_signal, SIGTERM);
	uv_signal_start(&r->interrupt, on_signal, SIGINT);

	at = websocket_server_address(r->sim.server);
	fprintf(stderr, "asr-sim: stands in for %s; it recognises nothing, its "
		"words are made up\n", r->sim.dialect->name);
	printf("listening %s%s\n", addr_print(text, &at), at.port ? "" : ":0");
	fflush(stdout);
	uv_run(&r->loop, UV_RUN_DEFAULT);
	return 0;
}

int main(int argc, char **argv)
{
	struct tls_context *tls = NULL;
	struct options o = {0};
	struct reason why;
	struct run r = {0};
	int code = read_options(&o, argc, argv);

	if (stdio_open())
		return EXIT_RUN;
	if (code)
		return code;
	if (o.help) {
		fputs(usage, stdout);
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	raise_files();
	codecs_init(NULL);
	json_object_seed(0);
	uv_loop_init(&r.loop);
	r.sim.loop = &r.loop;
	code = configure(&r.sim, &o);
	if (!code && o.cert && tls_server_context(&tls, o.cert, o.key, &why))
		code = fail(EXIT_CONFIG, "%s", why.text);
	if (!code)
		code = serve(&r, &o, tls);

	uv_run(&r.loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&r.loop) && !code)
		code = fail(EXIT_RUN, "something was left open");
	tls_context_free(tls);
	script_free(&r.sim.script);
	free(r.sim.expect_key);
	if (r.sim.report && fclose(r.sim.report) && !code)
		code = fail(EXIT_RUN, "the report could not be written");
	return code;
}
