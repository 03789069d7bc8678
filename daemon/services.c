/** @file services.c  The configured ASR services, and which leg gets which */
#include "daemon/services.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct services {
	const struct config *config;
	uv_loop_t *loop;
	bool all;                /* every leg gets `only` (NULL: none) */
	struct service *only;
	struct service **opened; /* by the config's index; NULL: not needed */
};

/* The service and, first, whatever it falls back on. */
static int open_one(struct services *s, const struct config_asr *asr,
		    struct buf *why)
{
	const size_t i = (size_t)(asr - s->config->asrs);
	const struct config_asr *other =
		asr->fallback[0] ? config_asr(s->config, asr->fallback) : NULL;

	if (s->opened[i])
		return 0;
	struct buf text = {0};
	int err = service_open(&s->opened[i], asr,
			       getenv("CREDENTIALS_DIRECTORY"), &text);
	if (!err)
		err = service_start(s->opened[i], s->loop);
	if (err)
		buf_printf(why, "%s:%u: %s", s->config->file, asr->line,
			   text.len ? buf_str(&text) : strerror(-err));
	buf_free(&text);
	if (!err && other)
		err = open_one(s, other, why);
	if (!err && other)
		s->opened[i]->fallback = s->opened[other - s->config->asrs];
	return err;
}

static int open_named(struct services *s, const char *name, struct buf *why)
{
	const struct config_asr *asr = config_asr(s->config, name);

	if (!asr) {
		buf_printf(why, "trunkscribed: --asr %s: no such asr is configured%s", name,
			   s->config->file[0] ? "" : "; name the file with -c");
		return -ENOENT;
	}

	const int err = open_one(s, asr, why);
	if (!err)
		s->only = s->opened[asr - s->config->asrs];
	return err;
}

static int open_routed(struct services *s, struct buf *why)
{
	for (size_t i = 0; i < s->config->n_routes; i++) {
		const struct config_asr *asr =
			config_asr(s->config, s->config->routes[i].asr);
		const int err = asr ? open_one(s, asr, why) : 0;

		if (err)
			return err;
	}
	return 0;
}

int services_open(struct services **out, const struct config *config,
		  const char *only, uv_loop_t *loop, struct buf *why)
{
	struct services *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->config = config;
	s->loop = loop;
	s->all = only != NULL;
	s->opened = calloc(config->n_asrs + 1, sizeof(struct service *));
	int err = s->opened ? 0 : -ENOMEM;
	if (!err && !only)
		err = open_routed(s, why);
	else if (!err && strcmp(only, "none") != 0)
		err = open_named(s, only, why);
	if (err) {
		services_close(s);
		return err;
	}
	*out = s;
	return 0;
}

void services_stop(struct services *s)
{
	for (size_t i = 0; s && i < s->config->n_asrs; i++)
		if (s->opened[i])
			service_stop(s->opened[i]);
}

void services_close(struct services *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->opened && i < s->config->n_asrs; i++)
		service_close(s->opened[i]);
	free(s->opened);
	free(s);
}

void services_watch(struct services *s, services_tell_fn *tell, void *arg)
{
	for (size_t i = 0; i < s->config->n_asrs; i++) {
		if (!s->opened[i])
			continue;
		s->opened[i]->tell = tell;
		s->opened[i]->arg = arg;
	}
}

struct service *services_choose(const struct leg_facts *f, void *chooser)
{
	const struct services *s = chooser;

	if (s->all)
		return s->only;

	const struct config_asr *asr = config_route(s->config, f);

	return asr ? s->opened[asr - s->config->asrs] : NULL;
}

static bool is_one_of(const char *source, const char *const *sources)
{
	for (size_t i = 0; sources[i]; i++)
		if (!strcmp(source, sources[i]))
			return true;
	return false;
}

static bool all_down(const struct service *s, uint64_t longer_ms)
{
	for (; s; s = s->fallback)
		if (!service_down_long(s, longer_ms))
			return false;
	return true;
}

bool services_down(const struct services *s, const char *const *sources,
		   uint64_t longer_ms)
{
	bool any = false;

	if (s->all)
		return s->only && all_down(s->only, longer_ms);
	for (size_t i = 0; i < s->config->n_routes; i++) {
		const struct config_route *r = &s->config->routes[i];
		const struct config_asr *asr = config_asr(s->config, r->asr);

		if (*r->source && !is_one_of(r->source, sources))
			continue;
		if (!asr || !all_down(s->opened[asr - s->config->asrs],
				      longer_ms))
			return false;
		any = true;
	}
	return any;
}

struct metrics_asr services_figures(const struct services *s, size_t i)
{
	const struct service *one = s->opened[i];
	struct metrics_asr a = {0};

	if (one) {
		a.used = true;
		a.open = gate_down(one->gate) != NULL;
		a.not_after_s = one->not_after_s;
	}
	return a;
}
