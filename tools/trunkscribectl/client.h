/** @file client.h  A connection to one of the daemon's sockets, line by line */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct client;

/** What the command line asked for. */
struct options {
	const char *socket;  /**< Of the command's own kind */
	const char *verb;    /**< The command */
	const char *id;      /**< A call or a leg; tail: a call, NULL: all */
	const char *word;    /**< asr: enable, disable; loglevel: which */
	const char *name;    /**< NULL: none */
	const char *from;    /**< NULL: the command's default */
	bool json;           /**< As JSON */
	bool cancel;         /**< drain: take new calls again */
	bool once;           /**< tail: end with the first call that ends */
};

/** @return 0 or -errno */
int client_open(struct client **out, const char *path);
void client_close(struct client *c);
/** Send one line; the line feed is added.  @return 0 or -errno */
int client_say(struct client *c, const char *line);
/**
 * Wait for a line.
 *
 * @param line Without its line feed, NUL-terminated; borrowed until the next
 *             call
 *
 * @return 1, 0 (the daemon closed the connection) or -errno
 */
int client_line(struct client *c, char **line, size_t *len);
/** Is another line there already? */
bool client_has_line(const struct client *c);

/** Connect and choose, saying on stderr what fails.  @return 0 or exit code */
int client_subscribe(struct client **out, const struct options *o,
		     const char *from, bool transcript_only);

/** Each returns an exit code. */
int command_events(const struct options *o);
int command_tail(const struct options *o);
int command_status(const struct options *o);
int command_drain(const struct options *o);
int command_calls(const struct options *o);
int command_call(const struct options *o);
int command_reload(const struct options *o);
int command_doctor(const struct options *o);
int command_asr(const struct options *o);
int command_loglevel(const struct options *o);
/** hangup, pause, resume. */
int command_done(const struct options *o);
int command_metrics(const struct options *o);
