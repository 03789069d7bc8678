/** @file keep.c  A result that outlives its message */
#include "daemon/asr/keep.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_TEXT_MAX = 64 * 1024 };

struct kept {
	struct asr_result r;
	struct asr_word words[];
};

static size_t text_of_words(const struct asr_result *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_words; i++)
		n += strlen(r->words[i].text) + 1;
	return n;
}

static const char *put(char **at, const char *text)
{
	const size_t n = strlen(text) + 1;
	char *to = memcpy(*at, text, n);

	*at += n;
	return to;
}

struct asr_result *keep_result(const struct asr_result *r)
{
	const size_t spoken = text_of_words(r);
	const size_t n = spoken <= WORDS_TEXT_MAX ? r->n_words : 0;
	const char *const language = r->language ? r->language : "";
	struct kept *k = malloc(sizeof(*k) + n * sizeof(k->words[0]) +
				(n ? spoken : 0) + strlen(r->key) + 1 +
				strlen(r->text) + 1 + strlen(language) + 1);

	if (!k)
		return NULL;
	char *at = (char *)&k->words[n];

	k->r = *r;
	k->r.key = put(&at, r->key);
	k->r.text = put(&at, r->text);
	k->r.language = r->language ? put(&at, language) : NULL;
	for (size_t i = 0; i < n; i++) {
		k->words[i] = r->words[i];
		k->words[i].text = put(&at, r->words[i].text);
	}
	k->r.words = n ? k->words : NULL;
	k->r.n_words = n;
	return &k->r;
}
