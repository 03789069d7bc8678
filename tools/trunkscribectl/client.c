/** @file client.c  A connection to one of the daemon's sockets, line by line */
#include "tools/trunkscribectl/client.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

enum { READ_SIZE = 64 * 1024, LINE_LIMIT = 1024 * 1024 };

struct client {
	int fd;
	struct buf in;
	size_t used;   /* Of `in`: lines that were handed out */
};

int client_open(struct client **out, const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const size_t len = strlen(path);

	if (len == 0 || len >= sizeof(at.sun_path))
		return -ENAMETOOLONG;
	memcpy(at.sun_path, path, len);

	struct client *c = calloc(1, sizeof(*c));
	if (!c)
		return -ENOMEM;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
	    connect(c->fd, (const struct sockaddr *)&at, sizeof(at))) {
		const int err = -errno;
		client_close(c);
		return err;
	}
	*out = c;
	return 0;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	buf_free(&c->in);
	free(c);
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		const ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int client_say(struct client *c, const char *line)
{
	struct buf b = {0};

	buf_printf(&b, "%s\n", line);
	const int err = b.err ? b.err
			      : send_all(c->fd, (const char *)b.data, b.len);
	buf_free(&b);
	return err;
}

static char *line_end(const struct client *c)
{
	return c->in.len > c->used ? memchr(c->in.data + c->used, '\n',
					    c->in.len - c->used)
				   : NULL;
}

bool client_has_line(const struct client *c)
{
	return line_end(c) != NULL;
}

int client_line(struct client *c, char **line, size_t *len)
{
	char *end;

	while (!(end = line_end(c))) {
		buf_shift(&c->in, c->used);
		c->used = 0;
		if (c->in.len > LINE_LIMIT)
			return -EMSGSIZE;
		uint8_t *room = buf_room(&c->in, READ_SIZE);
		if (!room)
			return -ENOMEM;
		const ssize_t n = recv(c->fd, room, READ_SIZE, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 || errno == ECONNRESET ? 0 : -errno;
		c->in.len += (size_t)n;
	}
	*end = 0;
	*line = (char *)c->in.data + c->used;
	*len = (size_t)(end - *line);
	c->used += *len + 1;
	return 1;
}

static json_t *transcript_types(void)
{
	static const char *const types[] = {
		"call.start", "call.update", "call.end", "leg.start",
		"leg.update", "leg.media", "leg.state", "leg.end", "segment",
		"gap", "pause", "resume",
	};
	json_t *list = json_array();

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		json_array_append_new(list, json_string(types[i]));
	return list;
}

int client_subscribe(struct client **out, const struct options *o,
		     const char *from, bool transcript_only)
{
	json_t *choice = json_pack("{s:i, s:s, s:b}", "hello", 1, "from", from,
				   "partials", !transcript_only);

	if (choice && o->name) {
		json_object_set_new(choice, "name", json_string(o->name));
		json_object_set_new(choice, "ack", json_true());
	}
	if (choice && o->id)
		json_object_set_new(choice, "calls",
				    json_pack("[s]", o->id));
	if (choice && transcript_only)
		json_object_set_new(choice, "types", transcript_types());
	char *line = json_dumps(choice, JSON_COMPACT);
	json_decref(choice);

	int err = line ? client_open(out, o->socket) : -ENOMEM;
	if (err)
		fprintf(stderr, "trunkscribectl: %s: %s; is trunkscribed "
			"running, and is this its events socket (-s)?\n",
			o->socket, strerror(-err));
	else if ((err = client_say(*out, line)) != 0)
		fprintf(stderr, "trunkscribectl: %s: %s\n", o->socket,
			strerror(-err));
	free(line);
	return err ? 2 : 0;
}
