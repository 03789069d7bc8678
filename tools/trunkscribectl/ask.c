/** @file ask.c  Questions to the control socket */
#include "tools/trunkscribectl/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/buf.h"

struct client *ask_open(const struct options *o)
{
	struct client *c = NULL;
	const int err = client_open(&c, o->socket);

	if (err)
		fprintf(stderr, "trunkscribectl: %s: %s; is trunkscribed "
			"running, and is this its control socket (-s)?\n",
			o->socket, strerror(-err));
	return err ? NULL : c;
}

json_t *ask_on(struct client *c, const char *socket, json_t *question)
{
	char *text = json_dumps(question, JSON_COMPACT), *line;
	json_t *answer = NULL;
	size_t len;

	json_decref(question);
	if (text && !client_say(c, text) && client_line(c, &line, &len) == 1)
		answer = json_loadb(line, len, 0, NULL);
	free(text);
	if (!answer)
		fprintf(stderr, "trunkscribectl: %s: no answer\n", socket);
	return answer;
}

json_t *ask(const struct options *o, json_t *question)
{
	struct client *c = ask_open(o);
	json_t *answer = c ? ask_on(c, o->socket, question) : NULL;

	if (!c)
		json_decref(question);
	client_close(c);
	if (!answer || json_is_true(json_object_get(answer, "ok")))
		return answer;

	const char *error = text_of(answer, "error");
	fprintf(stderr, "trunkscribectl: %s\n",
		error ? error : "refused, without a reason");
	json_decref(answer);
	return NULL;
}

long long number_of(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

const char *text_of(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

void put_json(const json_t *o)
{
	json_dumpf(o, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
	puts("");
}

int put_out(struct buf *out)
{
	const size_t n = fwrite(buf_str(out), 1, out->len, stdout);
	const bool bad = n != out->len || out->err || fflush(stdout);

	buf_free(out);
	return bad ? FAILED : 0;
}
