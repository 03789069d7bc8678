/** @file sample.c  The sample file, made from the table */
#include <string.h>

#include "daemon/cfg/load.h"

enum { WIDTH = 78 };

/* A paragraph of comment, broken between words. */
static void print_comment(struct buf *out, const char *indent, const char *text)
{
	const size_t begin = strlen(indent) + 1;
	size_t col = 0;

	while (*text) {
		const size_t len = strcspn(text, " ");

		if (!col || col + 1 + len > WIDTH) {
			buf_printf(out, "%s%s#", col ? "\n" : "", indent);
			col = begin;
		}
		buf_printf(out, " %.*s", (int)len, text);
		col += 1 + len;
		text += len;
		text += strspn(text, " ");
	}
	buf_puts(out, "\n");
}

static void print_limits(struct buf *out, const struct config_key *k)
{
	switch (k->type) {
	case CONFIG_CHOICE:
		buf_printf(out, " One of: %s.", k->choices);
		break;
	case CONFIG_NUMBER:
	case CONFIG_SIZE:
	case CONFIG_DURATION:
		buf_puts(out, " From ");
		print_amount(out, k->type, k->min);
		buf_puts(out, " to ");
		print_amount(out, k->type, k->max);
		buf_puts(out, ".");
		break;
	default:
		break;
	}
}

static bool is_bare(enum config_type type)
{
	return type == CONFIG_MODE || type == CONFIG_BOOL ||
	       type == CONFIG_NUMBER;
}

static void print_key(struct buf *out, const struct config_key *k)
{
	const char *quote = is_bare(k->type) ? "" : "\"";
	struct buf text = {0};

	buf_puts(&text, k->help);
	print_limits(&text, k);
	if (k->example && *k->preset)
		buf_printf(&text, " Default: %s%s%s.", quote, k->preset, quote);
	if (k->restart)
		buf_puts(&text, " Needs a restart.");
	if (k->later)
		buf_puts(&text, " Not built yet.");
	print_comment(out, "#    ", buf_str(&text));
	if (k->example)
		buf_printf(out, "#    %s = %s\n", k->name, k->example);
	else
		buf_printf(out, "#    %s = %s%s%s\n", k->name, quote,
			   k->preset, quote);
	if (text.err)
		out->err = text.err;
	buf_free(&text);
}

int config_print_sample(struct buf *out)
{
	buf_puts(out,
"# trunkscribe.conf: every section and key.  A line that begins with \"#\" is a\n"
"# comment; what is shown is the default, or an example where the default is to\n"
"# have none.  Check the file with: trunkscribed -t -c FILE\n"
"#\n"
"# Text is in double quotes (\\\" and \\\\ inside) or single quotes (as it is).\n"
"# Durations: \"250ms\" \"30s\" \"5m\" \"24h\" \"7d\".  Sizes: \"64K\" \"256M\" \"1G\".\n"
"# Keys take effect for new calls on SIGHUP unless they need a restart.\n");
	for (size_t i = 0; i < config_n_sections; i++) {
		const struct config_section *s = &config_sections[i];

		buf_puts(out, "\n");
		print_comment(out, "", s->help);
		if (s->later)
			print_comment(out, "", "Not built yet: refused.");
		buf_printf(out, "#%s%s {\n", s->name,
			   s->titled ? " \"main\"" : "");
		for (size_t k = 0; k < config_n_keys; k++)
			if (!strcmp(config_keys[k].section, s->name))
				print_key(out, &config_keys[k]);
		buf_puts(out, "#}\n");
	}
	return out->err;
}
