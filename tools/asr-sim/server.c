/** @file server.c  The simulator listens */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/hash.h"
#include "tools/asr-sim/conn.h"
#include "tools/asr-sim/sim.h"

static bool same_id(const void *value, const void *key)
{
	return !strcmp(value, key);
}

bool sim_id_seen(struct sim *s, const char *id)
{
	const uint64_t hash = hash_bytes(id, strlen(id));

	if (map_find(&s->ids, hash, same_id, id))
		return true;
	char *copy = strdup(id);

	if (copy && map_put(&s->ids, hash, copy))
		free(copy);
	return false;
}

static void on_request(struct websocket *ws, const struct websocket_request *r,
		       struct websocket_answer *answer, void *arg)
{
	conn_request(arg, ws, r, answer);
}

int sim_open(struct sim *s, const struct addr *at,
	     const struct tls_context *tls)
{
	static const struct websocket_server_cb cb = { .request = on_request };

	list_init(&s->conns);
	return websocket_listen(&s->server, s->loop, at, tls, &cb, s);
}

void sim_close(struct sim *s)
{
	websocket_server_close(s->server);
	s->server = NULL;
	list_each(&s->conns, item)
		conn_shutdown(conn_of(item));
	for (size_t i = 0; i < s->ids.size; i++)
		free(s->ids.slots[i].value);
	map_free(&s->ids);
}
