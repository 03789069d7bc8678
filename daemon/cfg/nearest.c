/** @file nearest.c  "Did you mean ...?": the known name nearest to a wrong one */
#include <stdlib.h>
#include <string.h>

#include "daemon/base/array.h"
#include "daemon/cfg/load.h"

enum { NAME_MAX_LEN = 32, FAR = 3 };

/* Levenshtein's distance: letters to change, add or take away. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1];
	const size_t n = strlen(b);

	if (strlen(a) > NAME_MAX_LEN || n > NAME_MAX_LEN)
		return FAR;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (; *a; a++) {
		size_t diagonal = row[0];

		row[0]++;
		for (size_t j = 1; j <= n; j++) {
			const size_t change = diagonal + (*a != b[j - 1]);
			const size_t add = MIN(row[j], row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = MIN(change, add);
		}
	}
	return row[n];
}

static void consider(const char **best, size_t *best_at, const char *known,
		     const char *name)
{
	const size_t d = distance(name, known);

	if (d < *best_at) {
		*best = known;
		*best_at = d;
	}
}

const char *nearest_section(const char *name)
{
	const char *best = NULL;
	size_t at = FAR;

	for (size_t i = 0; i < config_n_sections; i++)
		consider(&best, &at, config_sections[i].name, name);
	return best;
}

const char *nearest_key(const char *section, const char *name)
{
	const char *best = NULL;
	size_t at = FAR;

	for (size_t i = 0; i < config_n_keys; i++)
		if (!strcmp(config_keys[i].section, section))
			consider(&best, &at, config_keys[i].name, name);
	return best;
}
