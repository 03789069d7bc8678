/** @file service.c  One configured ASR service, ready to be connected to */
#include "daemon/call/service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/net/tls.h"
#include "daemon/net/websocket.h"

static int choose_wire(struct service *s, struct buf *why)
{
	const char *want = s->config->encoding;

	s->settings.wire = s->vendor->wires[0];
	if (!want[0])
		return 0;
	for (size_t i = 0; i < s->vendor->n_wires; i++) {
		const struct asr_wire *w = &s->vendor->wires[i];

		if (!strcmp(asr_encoding_name(w->encoding), want)) {
			s->settings.wire = *w;
			return 0;
		}
	}
	buf_printf(why, "asr \"%s\": %s does not take encoding \"%s\"",
		   s->config->name, s->vendor->name, want);
	return -EINVAL;
}

static int choose_chunk(struct service *s, struct buf *why)
{
	const struct asr_vendor *v = s->vendor;
	const uint32_t ms = s->config->chunk_ms ? s->config->chunk_ms
						: v->chunk_ms;

	s->settings.chunk_ms = ms;
	if (ms >= v->chunk_min_ms && (!v->chunk_max_ms || ms <= v->chunk_max_ms))
		return 0;
	buf_printf(why, "asr \"%s\": chunk = %ums; %s takes %u to %u ms",
		   s->config->name, ms, v->name, v->chunk_min_ms,
		   v->chunk_max_ms);
	return -EINVAL;
}

static int settings(struct service *s, struct buf *why)
{
	const struct config_asr *c = s->config;

	s->params = calloc(c->n_params ? c->n_params : 1, sizeof(*s->params));
	if (!s->params)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_params; i++)
		s->params[i] = (struct asr_param){
			c->params[i].name, c->params[i].value
		};
	s->settings.target = s->target;
	s->settings.host = s->host;
	s->settings.model = c->model;
	s->settings.language = c->language;
	s->settings.customer_id = c->customer_id;
	s->settings.key = buf_str(&s->key);
	s->settings.params = s->params;
	s->settings.n_params = c->n_params;

	const int err = choose_wire(s, why);
	return err ? err : choose_chunk(s, why);
}

static int open_all(struct service *s, const char *credentials,
		    struct buf *why)
{
	const struct config_asr *c = s->config;
	const char *target;
	bool tls;

	s->vendor = asr_vendor_by_name(c->vendor);
	if (!s->vendor) {
		buf_printf(why, "asr \"%s\": no vendor \"%s\" is built in",
			   c->name, c->vendor);
		return -EINVAL;
	}

	const char *url = c->url[0] ? c->url : s->vendor->url;
	if (websocket_url(url, &tls, s->host, &s->port, &target)) {
		buf_printf(why, "asr \"%s\": url \"%s\" is not ws://HOST... or "
			   "wss://HOST...", c->name, url);
		return -EINVAL;
	}
	s->target = strdup(target);
	if (!s->target)
		return -ENOMEM;
	if (c->api_key_file[0]) {
		const int err = config_secret(&s->key, c->api_key_file,
					      credentials, why);
		if (err)
			return err;
	}
	if (tls) {
		struct reason reason = {0};
		const int err = tls_client_context(
			&s->tls, c->tls_ca_file[0] ? c->tls_ca_file : NULL,
			&reason);
		if (err) {
			buf_printf(why, "asr \"%s\": %s", c->name, reason.text);
			return err;
		}
	}
	return settings(s, why);
}

int service_open(struct service **out, const struct config_asr *config,
		 const char *credentials, struct buf *why)
{
	struct service *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->config = config;

	const int err = open_all(s, credentials, why);
	if (err) {
		service_close(s);
		return err;
	}
	*out = s;
	return 0;
}

void service_close(struct service *s)
{
	if (!s)
		return;
	tls_context_free(s->tls);
	config_wipe(&s->key);
	free(s->params);
	free(s->target);
	free(s);
}
