/** @file compose.c  What we send to services: header lines and JSON */
#include "daemon/asr/compose.h"

#include <string.h>

#include "daemon/asr/json.h"

void compose_header(struct buf *out, const char *name, const char *prefix,
		    const char *value)
{
	if (!*value)
		return;
	for (const char *c = value; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return;
	buf_printf(out, "%s: %s%s\r\n", name, prefix, value);
}

void compose_string(struct buf *out, const char *text)
{
	buf_puts(out, "\"");
	for (const char *c = text; *c; c++) {
		if ((unsigned char)*c < 0x20)
			buf_printf(out, "\\u%04x", (unsigned char)*c);
		else if (*c == '"' || *c == '\\')
			buf_printf(out, "\\%c", *c);
		else
			buf_add(out, c, 1);
	}
	buf_puts(out, "\"");
}

/* Numbers go out digit by digit as the user wrote them: 0.44 stays 0.44. */
void compose_value(struct buf *out, const char *value)
{
	if (json_is_value(value, strlen(value)))
		buf_puts(out, value);
	else
		compose_string(out, value);
}

static bool listed(const char *const *names, const char *name)
{
	for (size_t i = 0; names[i]; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static bool named_later(const struct asr_settings *s, size_t at)
{
	for (size_t i = at + 1; i < s->n_params; i++)
		if (!strcmp(s->params[i].name, s->params[at].name))
			return true;
	return false;
}

void compose_params(struct buf *out, const struct asr_settings *s,
		    const char *const *ours)
{
	for (size_t i = 0; i < s->n_params; i++) {
		if (listed(ours, s->params[i].name) || named_later(s, i))
			continue;
		buf_puts(out, ",");
		compose_string(out, s->params[i].name);
		buf_puts(out, ":");
		compose_value(out, s->params[i].value);
	}
}

const char *compose_params_clash(const struct asr_settings *s,
				 const char *const *ours)
{
	for (size_t i = 0; i < s->n_params; i++)
		if (listed(ours, s->params[i].name))
			return s->params[i].name;
	return NULL;
}
