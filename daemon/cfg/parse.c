/**
 * @file parse.c  libconfuse, driven by the table
 *
 * All values reach us as texts and are judged in libconfuse's callbacks: only
 * there the line is known, and only so every wrong value is told.
 */
#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/base/utf8.h"
#include "daemon/cfg/load.h"
#include "daemon/cfg/scan.h"

enum { KEYS_MAX = 160, COMPLAINTS_MAX = 50 };

struct loading {
	struct config *config;
	struct complaints to;
	struct scan scan;
	size_t sections;              /* begun so far */
	const cfg_t *current;         /* section whose keys are read */
	const struct config_section *kind;
	size_t done[KEYS_MAX];        /* list values already judged */
	int err;                      /* -ENOMEM */
	bool whole;                   /* read to its end, good or not */
};

/* libconfuse's callbacks have no argument of ours, and its lexer is one for
 * the process anyway. */
static _Thread_local struct loading *loading;

void complain(struct complaints *c, unsigned line, const char *fmt, ...)
{
	struct buf text = {0};
	va_list ap;

	if (c->count++ >= COMPLAINTS_MAX)
		return;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	if (text.data)
		utf8_clean((char *)text.data);
	buf_printf(c->out, "%s:%u: %s\n", c->name, line, buf_str(&text));
	if (c->count == COMPLAINTS_MAX)
		buf_printf(c->out, "%s:%u: and more; correct these first\n",
			   c->name, line);
	buf_free(&text);
}

/* -- sections ------------------------------------------------------------ */

/* What the members of the current section belong to. */
static void *base_of(const struct loading *l)
{
	struct config *c = l->config;

	switch (l->kind->home) {
	case HOME_ASR:
		return &c->asrs[c->n_asrs - 1];
	case HOME_ROUTE:
		return &c->routes[c->n_routes - 1];
	default:
		return c;
	}
}

static bool name_ok(const char *name)
{
	const size_t len = strlen(name);

	return len >= 1 && len <= 64 && strcmp(name, "none") != 0 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
}

static int begin_asr(struct loading *l, const char *name, unsigned line)
{
	if (l->config->n_asrs >= CONFIG_ASRS_MAX) {
		complain(&l->to, line, "more than %d asr sections; remove "
			 "some", CONFIG_ASRS_MAX);
		return -EINVAL;
	}
	if (!name_ok(name))
		complain(&l->to, line, "asr \"%s\": a name has 1 to 64 "
			 "letters, digits, . _ or -, and is not none", name);
	return add_asr(l->config, name, line);
}

static int begin_route(struct loading *l, unsigned line)
{
	if (l->config->n_routes >= CONFIG_ROUTES_MAX) {
		complain(&l->to, line, "more than %d routes; remove some",
			 CONFIG_ROUTES_MAX);
		return -EINVAL;
	}
	return add_route(l->config, line);
}

static void begin_single(struct loading *l, unsigned line)
{
	const struct config_section *kind = l->kind;

	if (kind->later)
		complain(&l->to, line, "section %s is not built yet; remove "
			 "it", kind->name);
	if (kind->home != HOME_CONFIG)
		return;

	bool *given = (bool *)((char *)l->config + kind->given);

	if (*given)
		complain(&l->to, line, "section %s is given twice; put its "
			 "keys into one", kind->name);
	*given = true;
	if (kind->given == offsetof(struct config, sip.given))
		l->config->sip.line = line;
	if (kind->given == offsetof(struct config, websocket.given))
		l->config->websocket.line = line;
	if (kind->given == offsetof(struct config, oreka.given))
		l->config->oreka.line = line;
}

static int begin_section(struct loading *l, const cfg_t *section)
{
	const size_t i = l->sections++;
	const unsigned line = i < l->scan.n_sections
			      ? l->scan.section_lines[i]
			      : (unsigned)section->line;

	l->current = section;
	l->kind = config_section_find(section->name);
	must(l->kind);
	memset(l->done, 0, sizeof(l->done));
	if (l->kind->home == HOME_ASR)
		return begin_asr(l, section->title, line);
	if (l->kind->home == HOME_ROUTE)
		return begin_route(l, line);
	begin_single(l, line);
	return 0;
}

/* Called when a section's } was read. */
static int on_section(cfg_t *root, cfg_opt_t *opt)
{
	struct loading *l = loading;
	const cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
	int err = 0;

	(void)root;
	if (l->current != section)       /* it had no keys */
		err = begin_section(l, section);
	l->current = NULL;
	if (err == -ENOMEM)
		l->err = err;
	return err;
}

/* -- values -------------------------------------------------------------- */

/* A key could have slipped into a text; numbers and words are told. */
static bool may_be_told(enum config_type type)
{
	return type != CONFIG_TEXT && type != CONFIG_PATH &&
	       type != CONFIG_URL && type != CONFIG_PROXY &&
	       !config_is_list(type) && type != CONFIG_PARAMS;
}

static void refuse(struct loading *l, const cfg_t *section,
		   const struct config_key *key, const char *text,
		   const struct buf *why)
{
	struct buf at = {0};

	buf_puts(&at, key->section);
	if (section->title)
		buf_printf(&at, " \"%s\"", section->title);
	buf_printf(&at, ": %s", key->name);
	if (may_be_told(key->type))
		buf_printf(&at, " = \"%.64s\"", text);
	complain(&l->to, (unsigned)section->line, "%s: %s", buf_str(&at),
		 buf_str(why));
	buf_free(&at);
}

static int judge(struct loading *l, const cfg_t *section,
		 const struct config_key *key, const char *text)
{
	struct buf why = {0};
	int err = store_value(base_of(l), key, text, &why);

	if (err == -EINVAL) {
		refuse(l, section, key, text, &why);
		err = 0;
	}
	buf_free(&why);
	return err;
}

/* Called after each value; for a list perhaps once more at its end. */
static int on_value(cfg_t *section, cfg_opt_t *opt)
{
	struct loading *l = loading;
	const struct config_key *key = config_key_find(section->name,
						       opt->name);
	int err = l->current == section ? 0 : begin_section(l, section);

	must(key);
	size_t *done = &l->done[key - config_keys];
	const bool list = config_is_list(key->type) ||
			  key->type == CONFIG_PARAMS;

	if (!list)
		*done = 0;
	for (; !err && *done < cfg_opt_size(opt); ++*done)
		err = judge(l, section, key,
			    cfg_opt_getnstr(opt, (unsigned)*done));
	if (err == -ENOMEM)
		l->err = err;
	return err;
}

/* -- libconfuse's own errors --------------------------------------------- */

/* The keys of a section, or (NULL) the sections. */
static void list_known(struct buf *out, const char *section)
{
	buf_puts(out, "known are:");
	for (size_t i = 0; !section && i < config_n_sections; i++)
		buf_printf(out, " %s", config_sections[i].name);
	for (size_t i = 0; section && i < config_n_keys; i++)
		if (!strcmp(config_keys[i].section, section))
			buf_printf(out, " %s", config_keys[i].name);
}

static void tell_unknown(struct loading *l, const cfg_t *cfg, const char *name)
{
	const bool root = !strcmp(cfg->name, "root");
	const char *near = root ? nearest_section(name)
				: nearest_key(cfg->name, name);
	struct buf cure = {0};

	if (near)
		buf_printf(&cure, "did you mean %s?", near);
	else if (root && !strcmp(name, "include"))
		buf_puts(&cure, "all must be in one file");
	else
		list_known(&cure, root ? NULL : cfg->name);
	complain(&l->to, (unsigned)cfg->line, "unknown %s %.64s%s%s; %s",
		 root ? "section" : "key", name, root ? "" : " in ",
		 root ? "" : cfg->name, buf_str(&cure));
	buf_free(&cure);
}

static const struct {
	const char *fmt;         /* libconfuse 3.3's */
	const char *before, *after;
} cures[] = {
	{ "unexpected token '%s'", "", " is not expected here; write key = "
	  "value, or key = {\"one\", \"two\"}" },
	{ "missing equal sign after option '%s'", "key ", " has no = and "
	  "value behind it; write them" },
	{ "attempt to append to non-list option '%s'", "key ", " is no list; "
	  "write = for +=" },
	{ "missing opening brace for section '%s'", "section ", " needs its "
	  "keys in { }; write { behind the name" },
	{ "missing title for section '%s'", "section ", " needs a name; write "
	  "it in quotes before {" },
	{ "found duplicate title '%s'", "\"", "\" is the name of an earlier "
	  "section; choose another" },
	{ "premature end of file", "the file ends inside a section or list; "
	  "is a } missing?", NULL },
	{ "unexpected closing brace", "this } closes nothing; remove it",
	  NULL },
};

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	struct loading *l = loading;
	const unsigned line = (unsigned)cfg->line;
	struct buf text = {0};

	if (!strcmp(fmt, "no such option '%s'")) {
		tell_unknown(l, cfg, va_arg(ap, const char *));
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(cures) && !text.len; i++) {
		if (strcmp(fmt, cures[i].fmt) != 0)
			continue;
		buf_puts(&text, cures[i].before);
		if (cures[i].after)
			buf_printf(&text, "%.64s%s", va_arg(ap, const char *),
				   cures[i].after);
	}
	if (!text.len)
		buf_vprintf(&text, fmt, ap);
	if (l->scan.long_string && l->scan.long_string < line)
		buf_printf(&text, " (the string of line %u goes over several "
			   "lines: is its closing quote missing?)",
			   l->scan.long_string);
	complain(&l->to, line, "%s", buf_str(&text));
	buf_free(&text);
}

/* -- the options, from the table ----------------------------------------- */

static void make_keys(cfg_opt_t *out, const char *section)
{
	for (size_t i = 0; i < config_n_keys; i++) {
		const struct config_key *key = &config_keys[i];
		const bool list = config_is_list(key->type) ||
				  key->type == CONFIG_PARAMS;

		if (strcmp(key->section, section) != 0)
			continue;
		*out = (cfg_opt_t)CFG_STR(key->name, NULL, CFGF_NODEFAULT);
		if (list)
			out->flags |= CFGF_LIST;
		out->validcb = on_value;
		out++;
	}
	*out = (cfg_opt_t)CFG_END();
}

static cfg_t *make_parser(void)
{
	enum { SECTIONS_MAX = 32 };
	cfg_opt_t sections[SECTIONS_MAX + 1];
	cfg_opt_t keys[SECTIONS_MAX][KEYS_MAX + 1];

	must(config_n_sections <= SECTIONS_MAX && config_n_keys <= KEYS_MAX);
	for (size_t i = 0; i < config_n_sections; i++) {
		const struct config_section *s = &config_sections[i];
		cfg_flag_t flags = s->many ? CFGF_MULTI : CFGF_NONE;

		if (s->titled)
			flags |= CFGF_TITLE | CFGF_NO_TITLE_DUPES;
		make_keys(keys[i], s->name);
		sections[i] = (cfg_opt_t)CFG_SEC(s->name, keys[i], flags);
		sections[i].validcb = on_section;
	}
	sections[config_n_sections] = (cfg_opt_t)CFG_END();
	return cfg_init(sections, CFGF_NONE);
}

static int run_parser(struct loading *l, const char *text)
{
	cfg_t *parser = make_parser();

	if (!parser)
		return -ENOMEM;
	loading = l;
	cfg_set_error_function(parser, on_error);

	const int ret = cfg_parse_buf(parser, text);

	cfg_free(parser);
	loading = NULL;
	if (l->err)
		return l->err;
	if (ret != CFG_SUCCESS && l->to.count == 0)
		return -ENOMEM;          /* all else was told */
	return ret == CFG_SUCCESS ? 0 : -EINVAL;
}

/* -- the whole ----------------------------------------------------------- */

static int parse_text(struct loading *l, char *text, size_t len)
{
	struct buf why = {0};
	int err = scan_config(&l->scan, text, len, &why);

	if (err == -EBADMSG) {
		complain(&l->to, l->scan.error_line, "%s", buf_str(&why));
		err = -EINVAL;
	}
	buf_free(&why);
	if (!err)
		err = run_parser(l, text);
	if (!err)
		check_config(l->config, &l->to);
	l->whole = !err;
	if (!err && l->to.count)
		err = -EINVAL;
	scan_free(&l->scan);
	return err;
}

/* @param faulty Hand over a config with wrong values, too */
static int parse(struct config **out, const char *name, const char *text,
		 size_t len, struct buf *errors, bool faulty)
{
	struct loading l = { .to = { .name = name, .out = errors } };
	char *copy;
	int err;

	if (len > CONFIG_FILE_MAX) {
		complain(&l.to, 1, "more than %d KiB; is this the right file?",
			 CONFIG_FILE_MAX / 1024);
		return -EINVAL;
	}
	copy = strndup(text, len);
	if (!copy)
		return -ENOMEM;
	if (strlen(copy) < len) {
		complain(&l.to, 1, "has a NUL byte; is this a text file?");
		err = -EINVAL;
	} else {
		err = config_default(&l.config);
	}
	if (!err) {
		free(l.config->file);
		l.config->file = strdup(name);
		err = l.config->file ? parse_text(&l, copy, len) : -ENOMEM;
	}
	free(copy);
	if (err && !(faulty && l.whole)) {
		config_free(l.config);
		return err;
	}
	*out = l.config;
	return err;
}

int config_parse(struct config **out, const char *name, const char *text,
		 size_t len, struct buf *errors)
{
	return parse(out, name, text, len, errors, false);
}

static int read_file(struct buf *out, const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int err = fd < 0 ? -errno : 0;

	while (!err && out->len <= CONFIG_FILE_MAX) {
		uint8_t *at = buf_room(out, 4096);
		const ssize_t n = at ? read(fd, at, 4096) : 0;

		if (!at)
			err = -ENOMEM;
		else if (n < 0 && errno != EINTR)
			err = -errno;
		else if (n == 0)
			break;
		else if (n > 0)
			out->len += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

static int load(struct config **out, const char *path, struct buf *errors,
		bool faulty)
{
	struct buf text = {0};
	int err = read_file(&text, path);

	if (!err) {
		err = parse(out, path, buf_str(&text), text.len, errors,
			    faulty);
	} else if (err != -ENOMEM) {
		buf_printf(errors, "%s: cannot be read: %s; check the path "
			   "(option -c) and its access\n", path,
			   strerror(-err));
		if (err != -ENOENT && err != -EACCES)
			err = -EINVAL;
	}
	buf_free(&text);
	return err;
}

int config_load(struct config **out, const char *path, struct buf *errors)
{
	return load(out, path, errors, false);
}

int config_load_all(struct config **out, const char *path, struct buf *errors)
{
	return load(out, path, errors, true);
}
