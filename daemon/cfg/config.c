/** @file config.c  The configuration's life, and its routes */
#include "daemon/cfg/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/network.h"
#include "daemon/cfg/load.h"

int config_default(struct config **out)
{
	struct config *c = calloc(1, sizeof(*c));
	int err = c ? 0 : -ENOMEM;

	if (!err && !(c->file = strdup("")))
		err = -ENOMEM;
	for (size_t i = 0; i < config_n_sections && !err; i++)
		if (config_sections[i].home == HOME_CONFIG)
			err = store_presets(c, config_sections[i].name);
	if (err) {
		config_free(c);
		return err;
	}
	*out = c;
	return 0;
}

static void free_list(char **list)
{
	for (size_t i = 0; list && list[i]; i++)
		free(list[i]);
	free(list);
}

/* All texts of one section, as the table knows them. */
static void free_texts(void *base, const char *section)
{
	for (size_t i = 0; i < config_n_keys; i++) {
		const struct config_key *key = &config_keys[i];

		if (strcmp(key->section, section) != 0 || !key->size)
			continue;
		switch (key->type) {
		case CONFIG_TEXT:
		case CONFIG_PATH:
		case CONFIG_URL:
		case CONFIG_PROXY:
		case CONFIG_PIN:
		case CONFIG_ADDRESS:
		case CONFIG_SOCKET:
		case CONFIG_PORTS:
		case CONFIG_CHOICE:
			free(*(char **)(void *)((char *)base + key->at));
			break;
		case CONFIG_LIST:
		case CONFIG_LISTEN:
		case CONFIG_NETWORKS:
			free_list(*(char ***)(void *)((char *)base + key->at));
			break;
		default:
			break;
		}
	}
}

static void free_asr(struct config_asr *a)
{
	for (size_t i = 0; i < a->n_params; i++) {
		free(a->params[i].name);
		free(a->params[i].value);
	}
	free(a->params);
	free(a->name);
	free_texts(a, "asr");
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_asrs; i++)
		free_asr(&c->asrs[i]);
	for (size_t i = 0; i < c->n_routes; i++)
		free_texts(&c->routes[i], "route");
	for (size_t i = 0; i < config_n_sections; i++)
		if (config_sections[i].home == HOME_CONFIG)
			free_texts(c, config_sections[i].name);
	free(c->asrs);
	free(c->routes);
	free(c->file);
	free(c);
}

const struct config_asr *config_asr(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_asrs; i++)
		if (!strcmp(c->asrs[i].name, name))
			return &c->asrs[i];
	return NULL;
}

static bool begins(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static bool from_trunk(const char *trunk, const struct addr *at)
{
	struct network n;

	return !*trunk || (!network_parse(&n, trunk, strlen(trunk)) &&
			   network_has(&n, at));
}

/* Header names have no case (RFC 3261 section 7.3.1); values do. */
static bool has_header(const struct leg_facts *f, const char *header)
{
	const size_t name = strcspn(header, ":");
	const char *value = header + name;

	if (!*header)
		return true;
	value += *value == ':';
	value += strspn(value, " \t");
	for (size_t i = 0; i < f->n_ids; i++)
		if (strlen(f->ids[i].name) == name &&
		    !strncasecmp(f->ids[i].name, header, name))
			return !header[name] || !strcmp(f->ids[i].value, value);
	return false;
}

/* Basic filtering of RFC 4647 section 3.3.1. */
static bool speaks(const char *language, const char *range)
{
	const size_t len = strlen(range);

	return !len || (!strncasecmp(language, range, len) &&
			(!language[len] || language[len] == '-'));
}

const struct config_asr *config_route(const struct config *c,
				      const struct leg_facts *f)
{
	for (size_t i = 0; i < c->n_routes; i++) {
		const struct config_route *r = &c->routes[i];

		if (*r->source && strcmp(r->source, f->source) != 0)
			continue;
		if (*r->role && strcmp(r->role, role_name(f->role)) != 0)
			continue;
		if (begins(f->calling, r->calling) &&
		    begins(f->called, r->called) &&
		    from_trunk(r->trunk, &f->trunk) &&
		    has_header(f, r->header) &&
		    speaks(f->language, r->language))
			return config_asr(c, r->asr);
	}
	return NULL;
}
