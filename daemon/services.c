/** @file services.c  The configured ASR services, and which leg gets which */
#include "daemon/services.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/list.h"
#include "daemon/net/timer.h"

enum {
	SOON_MS = 100,           /* whoever told of a leg's end still uses them */
	HANDSHAKES_MS = 60000,   /* in the pool use their trust */
};

/* What one configuration made, until its last leg is over. */
struct set {
	struct list in;          /* services.old */
	struct services *services;
	const struct config *config;
	struct config *own;      /* the same, or NULL: the caller's */
	struct service *only;
	struct service **opened; /* by the config's index; NULL: not needed */
	unsigned legs;
	bool stopped;
	struct timer_once *timer; /* NULL: in use */
};

struct services {
	uv_loop_t *loop;
	bool all;                /* every leg gets `only` (NULL: none) */
	struct set *now;
	struct list old;
	char **disabled;         /* names */
	size_t n_disabled;
	services_tell_fn *tell;
	void *arg;
};

/* The service and, first, whatever it falls back on. */
static int open_one(struct set *s, const struct config_asr *asr,
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
		err = service_start(s->opened[i], s->services->loop);
	if (!err)
		s->opened[i]->owner = s;
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

static int open_named(struct set *s, const char *name, struct buf *why)
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

static int open_routed(struct set *s, struct buf *why)
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

static void set_stop(struct set *s)
{
	for (size_t i = 0; s->opened && i < s->config->n_asrs; i++)
		if (s->opened[i])
			service_stop(s->opened[i]);
	s->stopped = true;
}

static void set_free(struct set *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->opened && i < s->config->n_asrs; i++)
		service_close(s->opened[i]);
	list_remove(&s->in);
	timer_once_close(s->timer);
	free(s->opened);
	config_free(s->own);
	free(s);
}

static int set_new(struct set **out, struct services *all,
		   const struct config *config, const char *only,
		   struct buf *why)
{
	struct set *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	list_init(&s->in);
	s->services = all;
	s->config = config;
	s->opened = calloc(config->n_asrs + 1, sizeof(struct service *));
	int err = s->opened ? 0 : -ENOMEM;
	if (!err && !only)
		err = open_routed(s, why);
	else if (!err && strcmp(only, "none") != 0)
		err = open_named(s, only, why);
	*out = s;
	return err;
}

int services_open(struct services **out, const struct config *config,
		  const char *only, uv_loop_t *loop, struct buf *why)
{
	struct services *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	list_init(&s->old);
	s->loop = loop;
	s->all = only != NULL;
	const int err = set_new(&s->now, s, config, only, why);
	if (err) {
		services_close(s);
		return err;
	}
	*out = s;
	return 0;
}

/* -- the next configuration -------------------------------------------------- */

static void on_unused(void *arg)
{
	struct set *s = arg;

	if (s->stopped) {
		set_free(s);
		return;
	}
	set_stop(s);
	timer_once_start(s->timer, HANDSHAKES_MS);
}

/* Without memory for the timer it stays until the end. */
static void retire(struct set *s)
{
	if (!timer_once_open(&s->timer, s->services->loop, on_unused, s))
		timer_once_start(s->timer, SOON_MS);
}

static void mark_disabled(struct services *s);

int services_reload(struct services *s, struct config *config, struct buf *why)
{
	struct set *next = NULL, *old = s->now;
	const int err = s->all ? -ENOTSUP
			       : set_new(&next, s, config, NULL, why);

	if (err == -ENOTSUP)
		return err;
	if (err) { /* its handles close on the loop, the rest thereafter */
		if (next) {
			set_stop(next);
			next->own = NULL;
			set_free(next);
		}
		return err;
	}
	next->own = config;
	list_add(&s->old, &old->in);
	s->now = next;
	services_watch(s, s->tell, s->arg);
	mark_disabled(s);
	if (!old->legs)
		retire(old);
	return 0;
}

const struct config *services_config(const struct services *s)
{
	return s->now->config;
}

unsigned services_old(const struct services *s)
{
	unsigned n = 0;

	list_each((struct list *)&s->old, x)
		n += list_item(x, struct set, in)->legs > 0;
	return n;
}

void services_release(struct service *one, void *chooser)
{
	struct services *s = chooser;
	struct set *set = one->owner;

	if (--set->legs == 0 && set != s->now)
		retire(set);
}

/* -- its end ------------------------------------------------------------------- */

void services_stop(struct services *s)
{
	if (!s)
		return;
	list_each(&s->old, x) {
		struct set *set = list_item(x, struct set, in);

		timer_once_close(set->timer);
		set->timer = NULL;
		set_stop(set);
	}
	if (s->now)
		set_stop(s->now);
}

void services_close(struct services *s)
{
	if (!s)
		return;
	list_each(&s->old, x)
		set_free(list_item(x, struct set, in));
	set_free(s->now);
	for (size_t i = 0; i < s->n_disabled; i++)
		free(s->disabled[i]);
	free(s->disabled);
	free(s);
}

void services_watch(struct services *s, services_tell_fn *tell, void *arg)
{
	s->tell = tell;
	s->arg = arg;
	for (size_t i = 0; i < s->now->config->n_asrs; i++) {
		if (!s->now->opened[i])
			continue;
		s->now->opened[i]->tell = tell;
		s->now->opened[i]->arg = arg;
	}
}

static struct service *choose(const struct services *s,
			      const struct leg_facts *f)
{
	const struct set *set = s->now;

	if (s->all)
		return set->only;

	const struct config_asr *asr = config_route(set->config, f);

	struct service *one = asr ? set->opened[asr - set->config->asrs]
				  : NULL;
	/* a fallback may lead back to where it began */
	for (size_t i = 0; one && one->disabled; i++)
		one = i < set->config->n_asrs ? one->fallback : NULL;
	return one;
}

struct service *services_choose(const struct leg_facts *f, void *chooser)
{
	const struct services *s = chooser;
	struct service *one = choose(s, f);

	if (one)
		s->now->legs++;
	return one;
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
		if (!s->disabled && !service_down_long(s, longer_ms))
			return false;
	return true;
}

bool services_down(const struct services *s, const char *const *sources,
		   uint64_t longer_ms)
{
	const struct set *set = s->now;
	bool any = false;

	if (s->all)
		return set->only && all_down(set->only, longer_ms);
	for (size_t i = 0; i < set->config->n_routes; i++) {
		const struct config_route *r = &set->config->routes[i];
		const struct config_asr *asr = config_asr(set->config, r->asr);

		if (*r->source && !is_one_of(r->source, sources))
			continue;
		if (!asr || !all_down(set->opened[asr - set->config->asrs],
				      longer_ms))
			return false;
		any = true;
	}
	return any;
}

struct service *services_find(const struct services *s, const char *name)
{
	const struct config_asr *asr = config_asr(s->now->config, name);

	return asr ? s->now->opened[asr - s->now->config->asrs] : NULL;
}

static size_t disabled_at(const struct services *s, const char *name)
{
	size_t i = 0;

	while (i < s->n_disabled && strcmp(s->disabled[i], name) != 0)
		i++;
	return i;
}

static void mark_disabled(struct services *s)
{
	for (size_t i = 0; i < s->now->config->n_asrs; i++)
		if (s->now->opened[i])
			s->now->opened[i]->disabled =
				disabled_at(s, s->now->config->asrs[i].name) <
				s->n_disabled;
}

static int disable(struct services *s, const char *name)
{
	char **names = realloc(s->disabled,
			       (s->n_disabled + 1) * sizeof(*names));
	if (!names)
		return -ENOMEM;
	s->disabled = names;
	names[s->n_disabled] = strdup(name);
	if (!names[s->n_disabled])
		return -ENOMEM;
	s->n_disabled++;
	return 0;
}

int services_enable(struct services *s, const char *name, bool on)
{
	const size_t at = disabled_at(s, name);
	int err = 0;

	if (!config_asr(s->now->config, name))
		return -ENOENT;
	if (!on && at == s->n_disabled)
		err = disable(s, name);
	if (on && at < s->n_disabled) {
		free(s->disabled[at]);
		s->disabled[at] = s->disabled[--s->n_disabled];
	}
	mark_disabled(s);
	return err;
}

struct metrics_asr services_figures(const struct services *s, const char *name)
{
	const struct set *set = s->now;
	const struct config_asr *asr = config_asr(set->config, name);
	const struct service *one =
		asr ? set->opened[asr - set->config->asrs] : NULL;
	struct metrics_asr a = {0};

	if (one) {
		a.used = true;
		a.open = gate_down(one->gate) != NULL;
		a.not_after_s = one->not_after_s;
	}
	return a;
}
