/** @file store.c  Values into their members */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/addr.h"
#include "daemon/base/must.h"
#include "daemon/base/network.h"
#include "daemon/base/url.h"
#include "daemon/cfg/listen.h"
#include "daemon/cfg/load.h"
#include "daemon/cfg/ports.h"
#include "daemon/cfg/value.h"

static int refuse(struct buf *why, const struct config_key *key)
{
	buf_printf(why, "write %s", config_type_help(key->type));
	return -EINVAL;
}

/* Line breaks and tabs only where JSON may be laid out over lines. */
static int check_text(const struct config_key *key, const char *text,
		      struct buf *why)
{
	const bool layout = key->type == CONFIG_PARAMS;
	const size_t len = strlen(text);

	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c >= ' ')
			continue;
		if (layout && (*c == '\n' || *c == '\t'))
			continue;
		buf_puts(why, "line breaks and tabs cannot be in it; is a "
			      "closing quote missing?");
		return -EINVAL;
	}
	if (key->min > 0 && len < key->min) {
		buf_puts(why, "it must not be empty");
		return -EINVAL;
	}
	if (key->max > 0 && len > key->max) {
		buf_printf(why, "at most %" PRIu64 " bytes are possible",
			   key->max);
		return -EINVAL;
	}
	return 0;
}

static int store_text(void *member, const char *text)
{
	char *copy = strdup(text);
	char **at = member;

	if (!copy)
		return -ENOMEM;
	free(*at);
	*at = copy;
	return 0;
}

static int store_choice(void *member, const struct config_key *key,
			const char *text, struct buf *why)
{
	if ((*text || key->min) && !value_is_choice(text, key->choices)) {
		buf_printf(why, "write one of: %s", key->choices);
		return -EINVAL;
	}
	return member ? store_text(member, text) : 0;
}

static int store_url(void *member, const struct config_key *key,
		     const char *text, struct buf *why)
{
	struct url u;

	if (*text && url_parse(&u, text)) {
		buf_puts(why, strchr(text, '@')
			 ? "no user, password or @ can be in it; keys go into "
			   "api-key-file"
			 : "write \"wss://host[:port][/path]\"");
		return -EINVAL;
	}
	(void)key;
	return store_text(member, text);
}

static int store_proxy(void *member, const char *text, struct buf *why)
{
	char host[254];
	uint16_t port;

	if (*text && url_parse_proxy(host, &port, text)) {
		buf_puts(why, strchr(text, '@')
			 ? "no user, password or @ can be in it; they go into "
			   "proxy-auth-file"
			 : "write \"http://host:port\"");
		return -EINVAL;
	}
	return store_text(member, text);
}

static int store_pin(void *member, const char *text, struct buf *why)
{
	const size_t len = strspn(text, "0123456789abcdefABCDEF");

	if (*text && (len != 64 || text[len])) {
		buf_puts(why, "write the SHA-256 of the key as 64 hex digits");
		return -EINVAL;
	}
	return store_text(member, text);
}

void print_amount(struct buf *out, enum config_type type, uint64_t v)
{
	static const struct {
		uint64_t factor;
		const char *unit;
	} sizes[] = { { 1ull << 30, "G" }, { 1 << 20, "M" }, { 1 << 10, "K" },
		      { 1, "" } },
	  times[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "m" },
		      { 1000, "s" }, { 1, "ms" } };
	size_t i = 0;

	if (type == CONFIG_SIZE) {
		while (v % sizes[i].factor)
			i++;
		buf_printf(out, "%" PRIu64 "%s", v / sizes[i].factor,
			   sizes[i].unit);
	} else if (type == CONFIG_DURATION) {
		while (v % times[i].factor)
			i++;
		buf_printf(out, "%" PRIu64 "%s", v / times[i].factor,
			   times[i].unit);
	} else if (type == CONFIG_MODE) {
		buf_printf(out, "0%03" PRIo64, v);
	} else {
		buf_printf(out, "%" PRIu64, v);
	}
}

static int number_of(uint64_t *out, const struct config_key *key,
		     const char *text)
{
	switch (key->type) {
	case CONFIG_MODE:
		return value_mode(out, text);
	case CONFIG_SIZE:
		return value_size(out, text);
	case CONFIG_DURATION:
		return value_duration(out, text);
	default:
		return value_number(out, text);
	}
}

static int store_number(void *member, const struct config_key *key,
			const char *text, struct buf *why)
{
	uint64_t v = 0;
	const int err = number_of(&v, key, text);

	/* "" is the default of numbers that the vendor has a word in */
	if (err == -EBADMSG && !(*text == '\0' && *key->preset == '\0'))
		return refuse(why, key);
	if (*text && (err == -ERANGE || v < key->min || v > key->max)) {
		buf_puts(why, "write a value from ");
		print_amount(why, key->type, key->min);
		buf_puts(why, " to ");
		print_amount(why, key->type, key->max);
		return -EINVAL;
	}
	if (key->size == sizeof(uint32_t))
		*(uint32_t *)member = (uint32_t)v;
	else if (key->size)
		*(uint64_t *)member = v;
	return 0;
}

static int store_bool(void *member, const struct config_key *key,
		      const char *text, struct buf *why)
{
	bool v;

	if (value_bool(&v, text))
		return refuse(why, key);
	if (member)
		*(bool *)member = v;
	return 0;
}

static int add_param(struct config_asr *a, const struct config_key *key,
		     const char *text, struct buf *why)
{
	size_t len;

	if (value_param(&len, text)) {
		buf_puts(why, "write \"name=value\"; a name has letters, "
			      "digits, _ . and - only");
		return -EINVAL;
	}
	if (a->n_params >= CONFIG_PARAMS_MAX) {
		buf_printf(why, "at most %d are possible", CONFIG_PARAMS_MAX);
		return -EINVAL;
	}
	(void)key;

	struct config_param p = { strndup(text, len), strdup(text + len + 1) };
	struct config_param *more = realloc(a->params, (a->n_params + 1) *
						       sizeof(*more));

	if (more)
		a->params = more;
	if (!more || !p.name || !p.value) {
		free(p.name);
		free(p.value);
		return -ENOMEM;
	}
	more[a->n_params++] = p;
	return 0;
}

/* Lists end with NULL and grow one by one: they are short. */
static int add_text(char ***list, const char *text)
{
	size_t n = 0;

	while (*list && (*list)[n])
		n++;
	char **more = realloc(*list, (n + 2) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	*list = more;
	more[n] = strdup(text);
	more[n + 1] = NULL;
	return more[n] ? 0 : -ENOMEM;
}

static int store_socket(void *member, const struct config_key *key,
			const char *text, struct buf *why)
{
	struct buf tcp = {0};
	struct listen_at at;

	buf_printf(&tcp, "tcp:%s", text);
	const int err = tcp.err ? tcp.err
				: listen_parse(&at, buf_str(&tcp), "tcp");
	buf_free(&tcp);
	if (!err)
		return store_text(member, text);
	buf_printf(why, "write %s", config_type_help(key->type));
	return err == -ENOMEM ? err : -EINVAL;
}

static int store_checked(void *member, const struct config_key *key,
			 const char *text, struct buf *why)
{
	struct ports ports;
	struct addr at;
	const int err = key->type == CONFIG_PORTS
				? ports_parse(&ports, text)
				: addr_parse(&at, text, strlen(text));

	/* 0.0.0.0 tells nobody where to send */
	if (err || (key->type == CONFIG_ADDRESS && addr_is_any(&at))) {
		buf_printf(why, "write %s", config_type_help(key->type));
		return -EINVAL;
	}
	return store_text(member, text);
}

static int add_checked(void *member, const struct config_key *key,
		       const char *text, struct buf *why)
{
	struct listen_at at;
	struct network n;
	const int err = key->type == CONFIG_LISTEN
				? listen_parse(&at, text, key->choices)
				: network_parse(&n, text, strlen(text));

	if (err)
		return refuse(why, key);
	return add_text(member, text);
}

int store_value(void *base, const struct config_key *key, const char *text,
		struct buf *why)
{
	void *member = key->size ? (char *)base + key->at : NULL;

	if (key->later && strcmp(text, key->preset) != 0) {
		buf_puts(why, "not built yet; remove it");
		return -EINVAL;
	}
	switch (key->type) {
	case CONFIG_NUMBER:
	case CONFIG_MODE:
	case CONFIG_SIZE:
	case CONFIG_DURATION:
		return store_number(member, key, text, why);
	case CONFIG_BOOL:
		return store_bool(member, key, text, why);
	case CONFIG_CHOICE:
		return store_choice(member, key, text, why);
	default:
		break;
	}
	const int err = check_text(key, text, why);

	if (err || !member)
		return err;
	if (key->type == CONFIG_URL)
		return store_url(member, key, text, why);
	if (key->type == CONFIG_PROXY)
		return store_proxy(member, text, why);
	if (key->type == CONFIG_PIN)
		return store_pin(member, text, why);
	if (key->type == CONFIG_ADDRESS || key->type == CONFIG_PORTS)
		return store_checked(member, key, text, why);
	if (key->type == CONFIG_SOCKET)
		return store_socket(member, key, text, why);
	if (key->type == CONFIG_PARAMS)
		return add_param(base, key, text, why);
	if (key->type == CONFIG_LISTEN || key->type == CONFIG_NETWORKS)
		return add_checked(member, key, text, why);
	if (key->type == CONFIG_LIST)
		return add_text((char ***)member, text);
	return store_text(member, text);
}

int store_presets(void *base, const char *section)
{
	struct buf why = {0};
	int err = 0;

	for (size_t i = 0; i < config_n_keys && !err; i++) {
		const struct config_key *key = &config_keys[i];

		if (strcmp(key->section, section) != 0 || !key->size ||
		    key->type == CONFIG_PARAMS || config_is_list(key->type))
			continue;
		/* a text's lower limit is for what is written, not for "" */
		err = store_value(base, key, key->preset, &why);
		must(err != -EINVAL);
	}
	buf_free(&why);
	return err;
}

static int grow(void *items, size_t n, size_t size)
{
	void **at = items;
	void *more = realloc(*at, (n + 1) * size);

	if (!more)
		return -ENOMEM;
	memset((char *)more + n * size, 0, size);
	*at = more;
	return 0;
}

int add_asr(struct config *c, const char *name, unsigned line)
{
	const int err = grow(&c->asrs, c->n_asrs, sizeof(*c->asrs));

	if (err)
		return err;
	struct config_asr *a = &c->asrs[c->n_asrs++];

	a->line = line;
	a->name = strdup(name);
	return a->name ? store_presets(a, "asr") : -ENOMEM;
}

int add_route(struct config *c, unsigned line)
{
	const int err = grow(&c->routes, c->n_routes, sizeof(*c->routes));

	if (err)
		return err;
	struct config_route *r = &c->routes[c->n_routes++];

	r->line = line;
	return store_presets(r, "route");
}
