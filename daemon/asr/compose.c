/** @file compose.c  What we send to services: targets, header lines and JSON */
#include "daemon/asr/compose.h"

#include <string.h>

#include "daemon/asr/json.h"

static bool one_line(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

void compose_header(struct buf *out, const char *name, const char *prefix,
		    const char *value)
{
	if (!*value || !one_line(prefix) || !one_line(value))
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
	for (size_t i = 0; names && names[i]; i++)
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

const char *compose_param(const struct asr_settings *s, const char *name)
{
	for (size_t i = s->n_params; i > 0; i--)
		if (!strcmp(s->params[i - 1].name, name))
			return s->params[i - 1].value;
	return NULL;
}

void compose_authorization(struct buf *out, const struct asr_settings *s,
			   const char *scheme)
{
	const char *asked = compose_param(s, "auth_prefix");
	struct buf prefix = {0};

	if (asked)
		scheme = strcmp(asked, "none") ? asked : "";
	if (*scheme)
		buf_printf(&prefix, "%s ", scheme);
	compose_header(out, "Authorization", buf_str(&prefix), s->key);
	buf_free(&prefix);
}

void compose_message(struct asr_message *out, const char *text)
{
	out->binary = false;
	buf_puts(&out->bytes, text);
}

/* -- the upgrade's target ------------------------------------------------------ */

/* Does "?a=1&b" have a parameter of this name? */
static bool in_url(const struct asr_settings *s, const char *name)
{
	const char *at = strchr(s->target, '?');
	const size_t len = strlen(name);

	while (at && *at) {
		at++;
		const size_t n = strcspn(at, "=&");

		if (n == len && !strncmp(at, name, n))
			return true;
		at = strchr(at, '&');
	}
	return false;
}

const char *compose_url_clash(const struct asr_settings *s,
			      const char *const *names)
{
	for (size_t i = 0; names[i]; i++)
		if (in_url(s, names[i]))
			return names[i];
	return NULL;
}

bool compose_path_ends(const struct asr_settings *s, const char *ending)
{
	const size_t n = strcspn(s->target, "?"), len = strlen(ending);

	return n >= len && !strncmp(s->target + n - len, ending, len);
}

/* reference: RFC 3986 section 2.3, the unreserved characters */
static void add_encoded(struct buf *out, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789-._~";

	for (const char *c = text; *c; c++) {
		if (strchr(plain, *c))
			buf_add(out, c, 1);
		else
			buf_printf(out, "%%%02X", (unsigned char)*c);
	}
}

static void add_pair(struct buf *out, const struct asr_settings *s,
		     const char *name, const char *value)
{
	if (!*value || in_url(s, name))
		return;
	buf_puts(out, strchr(buf_str(out), '?') ? "&" : "?");
	add_encoded(out, name);
	buf_puts(out, "=");
	add_encoded(out, value);
}

static bool in_pairs(const struct compose_pair *p, const char *name)
{
	for (; p->name; p++)
		if (*p->value && !strcmp(p->name, name))
			return true;
	return false;
}

void compose_target(struct buf *out, const struct asr_settings *s,
		    const struct compose_pair *fixed,
		    const struct compose_pair *defaults,
		    const char *const *ours)
{
	buf_puts(out, s->target);
	for (const struct compose_pair *p = fixed; p->name; p++)
		add_pair(out, s, p->name, p->value);
	for (const struct compose_pair *p = defaults; p && p->name; p++)
		if (!compose_param(s, p->name))
			add_pair(out, s, p->name, p->value);
	for (size_t i = 0; i < s->n_params; i++)
		if (!in_pairs(fixed, s->params[i].name) &&
		    !listed(ours, s->params[i].name))
			add_pair(out, s, s->params[i].name, s->params[i].value);
}

const char *compose_encoding(const struct asr_settings *s)
{
	return s->wire.encoding == ASR_PCM_S16LE
		       ? "linear16" : asr_encoding_name(s->wire.encoding);
}

const char *compose_rate(const struct asr_settings *s)
{
	return s->wire.rate_hz == 16000 ? "16000" : "8000";
}

const char *compose_own_keys(const struct asr_settings *s)
{
	static const char *const own[] = { "model", "language", NULL };

	return compose_params_clash(s, own)
		       ? "model and language have keys of their own: move "
			 "them there from params"
		       : NULL;
}
