/** @file app.c  Everything wired together */
#include "daemon/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "daemon/base/buf.h"
#include "daemon/cfg/config.h"
#include "daemon/app_probe.h"
#include "daemon/app_replay.h"
#include "daemon/app_run.h"
#include "daemon/services.h"

#define DEFAULT_FILE "/etc/trunkscribe/trunkscribe.conf"

/* The file named, or what holds without one. */
static int load(struct config **out, const char *path)
{
	struct buf errors = {0};
	const int err = path ? config_load(out, path, &errors)
			     : config_default(out);

	if (err)
		fputs(errors.len ? buf_str(&errors)
				 : "trunkscribed: no memory\n", stderr);
	buf_free(&errors);
	return err ? EXIT_CONFIG : EXIT_OK;
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
			fprintf(stderr, "%s:%u: %s\n", c->file, c->asrs[i].line,
				buf_str(&why));
			code = EXIT_CONFIG;
		} else {
			service_close(s);
		}
		buf_free(&why);
	}
	return code;
}

static int check(const char *path)
{
	struct config *c;
	int code = load(&c, path);

	if (code)
		return code;
	code = check_services(c);
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
