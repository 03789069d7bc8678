/** @file report.c  What is told of a connection when it is over */
#include "tools/asr-sim/report.h"

#include <stdio.h>
#include <string.h>

#include "daemon/base/utf8.h"

void findings_add(struct findings *f, bool violation, const char *kind,
		  uint64_t at_sample, const char *fmt, va_list ap)
{
	struct finding *it = f->all;

	while (it < f->all + f->n &&
	       (it->violation != violation || strcmp(it->kind, kind)))
		it++;
	if (it == f->all + f->n) {
		if (f->n == FINDINGS_MAX)
			return;
		f->n++;
		*it = (struct finding){ .kind = kind, .violation = violation,
					.at_sample = at_sample };
		vsnprintf(it->words, sizeof(it->words), fmt, ap);
		utf8_clean(it->words);
	}
	it->count++;
}

json_t *findings_json(const struct findings *f, bool violations)
{
	json_t *array = json_array();

	for (size_t i = 0; i < f->n; i++) {
		const struct finding *it = &f->all[i];

		if (it->violation != violations)
			continue;
		json_array_append_new(array, json_pack("{s:s, s:s, s:I, s:I}",
			"kind", it->kind, "words", it->words, "count",
			(json_int_t)it->count, "at_sample",
			(json_int_t)it->at_sample));
	}
	return array;
}
