/** @file app.c  Everything wired together */
#include "daemon/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "daemon/base/buf.h"
#include "daemon/cfg/config.h"
#include "daemon/app_capture.h"
#include "daemon/app_ports.h"
#include "daemon/app_probe.h"
#include "daemon/app_replay.h"
#include "daemon/app_run.h"
#include "daemon/services.h"

#define DEFAULT_FILE "/etc/trunkscribe/trunkscribe.conf"

static int tell(int err, const struct buf *errors)
{
	if (err)
		fputs(errors->len ? buf_str(errors)
				  : "trunkscribed: no memory\n", stderr);
	return err ? EXIT_CONFIG : EXIT_OK;
}

/* The file named, or what holds without one. */
static int load(struct config **out, const char *path)
{
	struct buf errors = {0};
	const int err = path ? config_load(out, path, &errors)
			     : config_default(out);
	const int code = tell(err, &errors);

	buf_free(&errors);
	return code;
}

static void tell_lines(const char *file, unsigned line, const struct buf *why)
{
	const char *text = buf_str(why);

	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		fprintf(stderr, "%s:%u: %.*s\n", file, line, (int)n, text);
	}
}

/* Values that only the vendors and the files they name can judge. */
static int check_services(const struct config *c)
{
	int code = EXIT_OK;

	for (size_t i = 0; i < c->n_asrs; i++) {
		struct service *s;
		struct buf why = {0};

		if (service_open(&s, &c->asrs[i],
				 getenv("CREDENTIALS_DIRECTORY"), &why)) {
			tell_lines(c->file, c->asrs[i].line, &why);
			code = EXIT_CONFIG;
		} else {
			service_close(s);
		}
		buf_free(&why);
	}
	return code;
}

static int check_login(const struct config *c)
{
	struct buf secret = {0}, why = {0};
	int code = EXIT_OK;

	if (c->websocket.given && *c->websocket.auth_file &&
	    config_secret(&secret, c->websocket.auth_file,
			  getenv("CREDENTIALS_DIRECTORY"), &why)) {
		fprintf(stderr, "%s:%u: websocket: auth-file: %s\n", c->file,
			c->websocket.line, buf_str(&why));
		code = EXIT_CONFIG;
	}
	config_wipe(&secret);
	buf_free(&why);
	return code;
}

/* Not wrong, but not well: it is said, and the file is still good. */
static void check_ports(const struct config *c)
{
	struct buf warnings = {0};

	app_ports_warn(&warnings, c);
	fputs(buf_str(&warnings), stderr);
	buf_free(&warnings);
}

static int check_capture(const struct config *c)
{
	struct buf text = {0};
	const int err = app_capture_check(&text, c);

	fputs(buf_str(&text), stderr);
	buf_free(&text);
	return err ? EXIT_CONFIG : EXIT_OK;
}

/* Everything that is wrong is told, not the first thing. */
static int check(const char *path)
{
	struct buf errors = {0};
	struct config *c = NULL;
	int code = tell(config_load_all(&c, path, &errors), &errors);

	buf_free(&errors);
	if (c && (check_services(c) | check_login(c)))
		code = EXIT_CONFIG;
	if (c && check_capture(c))
		code = EXIT_CONFIG;
	if (c)
		check_ports(c);
	if (!code)
		printf("%s: ok\n", path);
	config_free(c);
	return code;
}

static int replay(const struct options *o)
{
	struct config *c;
	int code = load(&c, o->config);

	if (code)
		return code;
	code = app_replay(o, c);
	config_free(c);
	return code;
}

static int run(const struct options *o)
{
	struct config *c;
	int code = load(&c, o->config ? o->config : DEFAULT_FILE);

	if (code)
		return code;
	code = app_run(c);
	config_free(c);
	return code;
}

static int probe(const struct options *o)
{
	struct config *c;
	int code = load(&c, o->config ? o->config : DEFAULT_FILE);

	if (code)
		return code;
	code = app_probe(o->probe, c);
	config_free(c);
	return code;
}

int app_main(const struct options *o)
{
	switch (o->what) {
	case DO_HELP:
		options_help();
		return EXIT_OK;
	case DO_VERSION:
		puts("trunkscribed " TRUNKSCRIBE_VERSION);
		return EXIT_OK;
	case DO_CHECK:
		return check(o->config ? o->config : DEFAULT_FILE);
	case DO_REPLAY:
		return replay(o);
	case DO_PROBE:
		return probe(o);
	case DO_RUN:
		return run(o);
	}
	return EXIT_USAGE;
}
