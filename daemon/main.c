/** @file main.c  The daemon's entry */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "codecs/codec.h"
#include "daemon/app.h"
#include "daemon/base/log.h"
#include "daemon/base/stdio_open.h"

static int choose_kernels(void)
{
	const char *force = getenv("TRUNKSCRIBE_SIMD");
	const int err = codecs_init(force && *force ? force : NULL);

	if (err)
		fprintf(stderr,
			"trunkscribed: TRUNKSCRIBE_SIMD=%s: %s; take portable, "
			"avx2, avx512 or neon\n", force,
			err == -ENOTSUP ? "not on this processor" : "unknown");
	return err;
}

int main(int argc, char **argv)
{
	struct options o;

	if (stdio_open())
		return EXIT_RUNTIME;
	if (options_parse(&o, argc, argv))
		return EXIT_USAGE;
	if (o.log) {
		const int level = log_level_by_name(o.log);

		if (level < 0) {
			fprintf(stderr, "trunkscribed: --log takes error, warn, "
				"info or debug\n");
			return EXIT_USAGE;
		}
		log_set_level((enum log_level)level);
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit is like a full disk */
	/* a core would hold audio and keys */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	json_object_seed(0); /* before there are threads */
	if (choose_kernels())
		return EXIT_CONFIG;
	return app_main(&o);
}
