/** @file value.c  Texts of the configuration as values */
#include "daemon/cfg/value.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/base/number.h"

struct unit {
	const char *name;
	uint64_t factor;
};

int value_number(uint64_t *out, const char *text)
{
	return number_parse(out, text, strlen(text), UINT64_MAX);
}

int value_mode(uint64_t *out, const char *text)
{
	const size_t len = strlen(text);
	uint64_t mode = 0;

	if (len < 3 || len > 4)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '7')
			return -EBADMSG;
		mode = mode << 3 | (uint64_t)(text[i] - '0');
	}
	*out = mode;
	return 0;
}

static int with_unit(uint64_t *out, const char *text, const struct unit *units,
		     size_t n)
{
	const size_t digits = strspn(text, "0123456789");
	uint64_t v;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(text + digits, units[i].name) != 0)
			continue;
		const int err = number_parse(&v, text, digits,
					     UINT64_MAX / units[i].factor);

		if (!err)
			*out = v * units[i].factor;
		return err;
	}
	return -EBADMSG;
}

int value_size(uint64_t *out, const char *text)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "K", 1024 },
		{ "M", 1024 * 1024 },
		{ "G", 1024 * 1024 * 1024 },
	};

	return with_unit(out, text, units, ARRAY_LEN(units));
}

int value_duration(uint64_t *out, const char *text)
{
	static const struct unit units[] = {
		{ "ms", 1 },
		{ "s", 1000 },
		{ "m", 60 * 1000 },
		{ "h", 60 * 60 * 1000 },
		{ "d", 24 * 60 * 60 * 1000 },
	};

	return with_unit(out, text, units, ARRAY_LEN(units));
}

int value_bool(bool *out, const char *text)
{
	static const struct {
		const char *name;
		bool value;
	} words[] = { { "yes", true },  { "no", false },  { "true", true },
		      { "false", false }, { "on", true }, { "off", false } };

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!strcasecmp(text, words[i].name)) {
			*out = words[i].value;
			return 0;
		}
	}
	return -EBADMSG;
}

int value_param(size_t *out, const char *text)
{
	static const char name[] = "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
	const size_t len = strspn(text, name);

	if (len == 0 || text[len] != '=')
		return -EBADMSG;
	*out = len;
	return 0;
}

bool value_is_choice(const char *text, const char *choices)
{
	const size_t len = strlen(text);

	if (len == 0 || strchr(text, ' '))
		return false;
	for (const char *c = choices; c; c = strchr(c, ' ')) {
		c += *c == ' ';
		if (strcspn(c, " ") == len && !strncmp(c, text, len))
			return true;
	}
	return false;
}
