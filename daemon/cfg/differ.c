/** @file differ.c  What of a new configuration waits for a restart */
#include <string.h>

#include "daemon/cfg/config.h"
#include "daemon/cfg/table.h"

static bool is_number(enum config_type type)
{
	return type == CONFIG_BOOL || type == CONFIG_NUMBER ||
	       type == CONFIG_MODE || type == CONFIG_SIZE ||
	       type == CONFIG_DURATION;
}

static bool same_list(char *const *a, char *const *b)
{
	size_t i = 0;

	for (; a && b && a[i] && b[i]; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return !(a && a[i]) && !(b && b[i]);
}

static bool same(const struct config *a, const struct config *b,
		 const struct config_key *k)
{
	const char *x = (const char *)a + k->at, *y = (const char *)b + k->at;
	char *const *xs, *const *ys;
	const char *s, *t;

	if (is_number(k->type))
		return !memcmp(x, y, k->size);
	if (config_is_list(k->type)) {
		memcpy(&xs, x, sizeof(xs));
		memcpy(&ys, y, sizeof(ys));
		return same_list(xs, ys);
	}
	memcpy(&s, x, sizeof(s));
	memcpy(&t, y, sizeof(t));
	return !strcmp(s, t);
}

static bool given(const struct config *c, const struct config_section *s)
{
	bool is;

	memcpy(&is, (const char *)c + s->given, sizeof(is));
	return is;
}

static void name(struct buf *out, const char *section, const char *key)
{
	buf_printf(out, "%s%s%s%s", out->len ? ", " : "", section,
		   key ? "." : "", key ? key : "");
}

void config_restart_keys(struct buf *out, const struct config *running,
			 const struct config *next)
{
	for (size_t i = 0; i < config_n_sections; i++) {
		const struct config_section *s = &config_sections[i];

		/* those that are there in any case differ by their keys */
		if (s->home != HOME_CONFIG || s->later ||
		    !strcmp(s->name, "events") || !strcmp(s->name, "control") ||
		    !strcmp(s->name, "journal"))
			continue;
		if (given(running, s) != given(next, s))
			name(out, s->name, NULL);
	}
	for (size_t i = 0; i < config_n_keys; i++) {
		const struct config_key *k = &config_keys[i];
		const struct config_section *s = config_section_find(k->section);

		if (k->restart && k->size && s->home == HOME_CONFIG &&
		    !same(running, next, k))
			name(out, k->section, k->name);
	}
}
