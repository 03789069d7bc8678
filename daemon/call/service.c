/** @file service.c  One configured ASR service, ready to be connected to */
#include "daemon/call/service.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/base/url.h"
#include "daemon/net/resolve.h"
#include "daemon/net/timer.h"
#include "daemon/net/tls.h"
#include "daemon/net/websocket.h"

enum { DAY_S = 24 * 3600 };

/* The first error stays; each tells what is wrong on a line of its own. */
static int also(int err, int next, struct buf *why)
{
	if (next && why->len && buf_str(why)[why->len - 1] != '\n')
		buf_puts(why, "\n");
	return err ? err : next;
}

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

/* What the vendor knows the service would refuse. */
static int ask_vendor(const struct service *s, struct buf *why)
{
	const char *wrong = s->vendor->check ? s->vendor->check(&s->settings)
					     : NULL;

	if (!wrong)
		return 0;
	buf_printf(why, "asr \"%s\": %s", s->config->name, wrong);
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
	s->session_max_ms = c->session_max_ms ? c->session_max_ms
					      : s->vendor->session_max_ms;

	int err = also(0, choose_wire(s, why), why);
	err = also(err, choose_chunk(s, why), why);
	return also(err, ask_vendor(s, why), why);
}

static int open_proxy(struct service *s, const char *credentials,
		      struct buf *why)
{
	const struct config_asr *c = s->config;

	if (!c->proxy[0])
		return 0;
	if (url_parse_proxy(s->proxy_host, &s->proxy_port, c->proxy)) {
		buf_printf(why, "asr \"%s\": proxy \"%s\" is not "
			   "http://host:port", c->name, c->proxy);
		return -EINVAL;
	}
	if (!c->proxy_auth_file[0])
		return 0;
	struct buf text = {0};
	int err = config_secret(&s->proxy_auth, c->proxy_auth_file, credentials,
				&text);
	if (!err && !strchr(buf_str(&s->proxy_auth), ':')) {
		buf_printf(&text, "%s holds no user:password; write it so",
			   c->proxy_auth_file);
		err = -EINVAL;
	}
	if (err)
		buf_printf(why, "asr \"%s\": proxy-auth-file: %s", c->name,
			   buf_str(&text));
	buf_free(&text);
	return err;
}

static int open_tls(struct service *s, bool tls, struct buf *why)
{
	const struct config_asr *c = s->config;
	struct reason reason = {0};
	int err = 0;

	if (tls)
		err = tls_client_context(&s->tls, c->tls_ca_file[0]
							  ? c->tls_ca_file
							  : NULL, &reason);
	if (err) {
		buf_printf(why, "asr \"%s\": %s", c->name, reason.text);
		return err;
	}
	if (!c->tls_pin_sha256[0])
		return 0;
	if (!tls || tls_context_pin(s->tls, c->tls_pin_sha256)) {
		buf_printf(why, "asr \"%s\": tls-pin-sha256: %s", c->name,
			   tls ? "write 64 hex digits"
			       : "its url has no TLS: write wss://");
		return -EINVAL;
	}
	return 0;
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
	int err = 0;
	if (c->api_key_file[0])
		err = also(err, config_secret(&s->key, c->api_key_file,
					      credentials, why), why);
	err = also(err, open_proxy(s, credentials, why), why);
	err = also(err, open_tls(s, tls, why), why);
	return also(err, settings(s, why), why);
}

int service_open(struct service **out, const struct config_asr *config,
		 const char *credentials, struct buf *why)
{
	struct service *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->config = config;
	s->credentials = credentials;

	const int err = open_all(s, credentials, why);
	if (why->len && buf_str(why)[why->len - 1] == '\n')
		why->data[--why->len] = '\0';
	if (err) {
		service_close(s);
		return err;
	}
	*out = s;
	return 0;
}

static void on_gate_timer(void *arg)
{
	service_gate_run(arg);
}

static void on_gate_changed(bool down, const struct reason *why, void *arg)
{
	struct service *s = arg;

	log_warn("asr", "\"%s\": %s%s%s", s->config->name,
		 down ? "down" : "up again", down ? ": " : "",
		 down ? why->text : "");
	if (!down)
		s->told_restart = false;
	if (s->tell)
		s->tell(s, down ? "asr_down" : "asr_up", down ? why : NULL,
			s->arg);
}

static void on_gate_slow(const struct reason *why, void *arg)
{
	struct service *s = arg;

	log_warn("asr", "\"%s\" asks for fewer connections: %s",
		 s->config->name, why->text);
	if (s->tell)
		s->tell(s, "quota", why, s->arg);
}

int service_start(struct service *s, uv_loop_t *loop)
{
	const struct gate_config gc = {
		.per_second = s->config->connects_per_second,
		.changed = on_gate_changed, .slow = on_gate_slow, .arg = s,
	};

	s->loop = loop;
	int err = gate_new(&s->gate, &gc);
	if (!err)
		err = resolver_open(&s->resolver, loop, NULL);
	return err ? err
		   : timer_once_open(&s->gate_timer, loop, on_gate_timer, s);
}

void service_gate_run(const struct service *s)
{
	const uint64_t now_ms = uv_now(s->loop);
	const uint64_t again_ms = gate_run(s->gate, now_ms);

	if (again_ms != UINT64_MAX)
		timer_once_start(s->gate_timer,
				 again_ms > now_ms ? again_ms - now_ms : 1);
}

void service_latency(struct service *s, uint64_t ms)
{
	s->latency_ms = s->latencies++ ? (7 * s->latency_ms + ms) / 8 : ms;
}

void service_certificate(struct service *s, uint64_t not_after_s)
{
	uv_timeval64_t now;
	struct reason why;

	if (s->not_after_s != not_after_s)
		s->expiry_told = UINT_MAX; /* a new one */
	s->not_after_s = not_after_s;
	uv_gettimeofday(&now);
	const int64_t left_s = (int64_t)not_after_s - now.tv_sec;
	const unsigned days = left_s < 3 * DAY_S    ? 3
			      : left_s < 14 * DAY_S ? 14
						    : UINT_MAX;
	if (!not_after_s || days >= s->expiry_told)
		return;
	s->expiry_told = days;
	reason_set(&why, REASON_TLS, 0, "the certificate of %s ends in %d "
		   "days; then nothing is sent there", s->host,
		   (int)(left_s / DAY_S));
	log_warn("asr", "\"%s\": %s", s->config->name, why.text);
	if (s->tell)
		s->tell(s, "asr_certificate", &why, s->arg);
}

/* -- the key, read again ----------------------------------------------------- */

struct reread {
	uv_work_t work;
	struct service *service; /* NULL: closed meanwhile */
	char *path;
	struct buf key, why;
	int err;
};

static void read_key(uv_work_t *work)
{
	struct reread *r = work->data;

	r->err = config_secret(&r->key, r->path, NULL, &r->why);
}

static void take_key(struct service *s, struct reread *r)
{
	s->rereading = NULL;
	if (r->err) {
		log_warn("asr", "\"%s\": %s", s->config->name,
			 buf_str(&r->why));
		return;
	}
	if (!strcmp(buf_str(&r->key), buf_str(&s->key)))
		return; /* it is the same: waiting is all there is */
	log_info("asr", "\"%s\": its key has changed", s->config->name);
	config_wipe(&s->key);
	s->key = r->key;
	r->key = (struct buf){0};
	s->settings.key = buf_str(&s->key);
	gate_reopen(s->gate);
	service_gate_run(s);
}

static void on_key(uv_work_t *work, int status)
{
	struct reread *r = work->data;

	if (r->service && !status)
		take_key(r->service, r);
	config_wipe(&r->key);
	buf_free(&r->why);
	free(r->path);
	free(r);
}

static bool below(const char *path, const char *directory)
{
	const size_t n = directory ? strlen(directory) : 0;

	return n && !strncmp(path, directory, n) && path[n] == '/';
}

void service_reread_key(struct service *s)
{
	const char *path = s->config->api_key_file;
	struct reread *r;

	if (s->rereading || !path[0])
		return;
	if (below(path, s->credentials)) {
		if (!s->told_restart)
			log_warn("asr", "\"%s\": the service refuses the key; "
				 "it is a systemd credential, so a new one "
				 "needs a restart", s->config->name);
		s->told_restart = true;
		return;
	}
	r = calloc(1, sizeof(*r));
	if (!r || !(r->path = strdup(path))) {
		free(r);
		return;
	}
	r->service = s;
	r->work.data = r;
	s->rereading = r;
	if (uv_queue_work(s->loop, &r->work, read_key, on_key)) {
		s->rereading = NULL;
		free(r->path);
		free(r);
	}
}

void service_stop(struct service *s)
{
	if (s->rereading)
		s->rereading->service = NULL;
	s->rereading = NULL;
	resolver_close(s->resolver);
	s->resolver = NULL;
	gate_free(s->gate);
	s->gate = NULL;
	timer_once_close(s->gate_timer);
	s->gate_timer = NULL;
}

void service_close(struct service *s)
{
	if (!s)
		return;
	service_stop(s);
	tls_context_free(s->tls);
	config_wipe(&s->key);
	config_wipe(&s->proxy_auth);
	free(s->params);
	free(s->target);
	free(s);
}

bool service_down_long(const struct service *s, uint64_t longer_ms)
{
	return gate_down_long(s->gate, uv_now(s->loop), longer_ms);
}
