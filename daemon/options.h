/** @file options.h  The command line of trunkscribed (INTERFACES section 1) */
#pragma once

#include <stdbool.h>

enum { EXIT_OK = 0, EXIT_CONFIG = 1, EXIT_RUNTIME = 2, EXIT_INPUT = 3,
       EXIT_USAGE = 64 };

enum options_do { DO_RUN, DO_CHECK, DO_VERSION, DO_HELP, DO_PROBE, DO_REPLAY };

struct options {
	enum options_do what;
	const char *config;   /**< NULL: none was named */
	const char *capture;  /**< DO_REPLAY */
	const char *asr;      /**< A name, "none", or NULL: the routes decide */
	const char *probe;    /**< DO_PROBE: name of the asr */
	double speed;         /**< Times real time; 0: max */
	const char *events;   /**< NULL: nowhere */
	const char *wav;      /**< Directory, or NULL */
	const char *log;      /**< Level, or NULL */
};

/** @return 0, or EXIT_USAGE with the reason on stderr */
int options_parse(struct options *out, int argc, char **argv);
/** To stdout. */
void options_help(void);
