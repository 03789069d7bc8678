/** @file head.c  The head of an HTTP message, read in pieces within limits */
#include "daemon/ws/head.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static struct head *of(const http_parser *p)
{
	return p->data;
}

static int on_url(http_parser *p, const char *at, size_t len)
{
	buf_add(&of(p)->text, at, len);
	return of(p)->text.err;
}

/* End the string before, without the blanks behind a value. */
static void terminate(struct head *h)
{
	if (h->at == HEAD_VALUE)
		while (h->text.len > h->value[h->n - 1] &&
		       strchr(" \t", h->text.data[h->text.len - 1]))
			h->text.len--;
	buf_add(&h->text, "", 1);
}

static int on_name(http_parser *p, const char *at, size_t len)
{
	struct head *h = of(p);

	if (h->done)
		return 0; /* a trailer */
	if (h->at != HEAD_NAME) {
		if (h->n == UPGRADE_HEADERS) {
			h->too_many = true;
			return 1;
		}
		terminate(h); /* the value before, or the target */
		h->name[h->n] = (uint32_t)h->text.len;
		h->at = HEAD_NAME;
	}
	buf_add(&h->text, at, len);
	return h->text.err;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
	struct head *h = of(p);

	if (h->done)
		return 0;
	if (h->at != HEAD_VALUE) {
		terminate(h);
		h->value[h->n++] = (uint32_t)h->text.len;
		h->at = HEAD_VALUE;
	}
	buf_add(&h->text, at, len);
	return h->text.err;
}

static int on_head(http_parser *p)
{
	struct head *h = of(p);

	terminate(h);
	h->done = true;
	if (h->tunnel)
		return 2; /* RFC 9110 section 9.3.6: no body, whatever it says */
	/* 2: what follows is another protocol, which we read ourselves */
	return p->type == HTTP_REQUEST || p->status_code == 101 ? 2 : 0;
}

static int on_body(http_parser *p, const char *at, size_t len)
{
	struct head *h = of(p);
	const size_t room = HEAD_BODY - h->body.len;

	buf_add(&h->body, at, len < room ? len : room);
	if (h->body.len == HEAD_BODY)
		h->message_done = true;
	return h->body.err;
}

static int on_message(http_parser *p)
{
	of(p)->message_done = true;
	if (!p->upgrade)
		http_parser_pause(p, 1); /* no second message */
	return 0;
}

void head_init(struct head *h, enum http_parser_type type)
{
	*h = (struct head){0};
	http_parser_init(&h->parser, type);
	h->parser.data = h;
}

void head_free(struct head *h)
{
	buf_free(&h->text);
	buf_free(&h->body);
}

static const http_parser_settings settings = {
	.on_url = on_url,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_headers_complete = on_head,
	.on_body = on_body,
	.on_message_complete = on_message,
};

/* The parser keeps a pointer to `h` while it runs. */
static int feed(struct head *h, const uint8_t *data, size_t len, size_t *got)
{
	h->parser.data = h;
	*got = http_parser_execute(&h->parser, &settings, (const char *)data,
				   len);
	if (h->text.err || h->body.err)
		return -ENOMEM;
	if (h->too_many)
		return -EMSGSIZE;
	if (HTTP_PARSER_ERRNO(&h->parser) == HPE_OK)
		return 0;
	if (!h->done)
		return -EBADMSG;
	h->message_done = true; /* a broken body: what came must do */
	return 0;
}

int head_feed(struct head *h, const uint8_t *data, size_t len, size_t *used)
{
	size_t n = len, got;
	int err;

	*used = 0;
	if (!h->done) {
		if (n > UPGRADE_HEAD - h->seen)
			n = UPGRADE_HEAD - h->seen;
		if (n && (err = feed(h, data, n, &got)))
			return err;
		if (!h->done) {
			h->seen += n;
			*used = n;
			return h->seen == UPGRADE_HEAD ? -EMSGSIZE : 0;
		}
		*used = got;
	}
	if (!h->parser.upgrade && !h->message_done && *used < len) {
		err = feed(h, data + *used, len - *used, &got);
		*used += got;
		return err ? err : 1;
	}
	return 1;
}

const char *head_target(const struct head *h)
{
	return h->done ? buf_str(&h->text) : "";
}

const char *head_get(const struct head *h, const char *name, unsigned skip)
{
	const char *text = buf_str(&h->text);

	for (unsigned i = 0; h->done && i < h->n; i++)
		if (!strcasecmp(text + h->name[i], name) && skip-- == 0)
			return text + h->value[i];
	return NULL;
}

bool head_list_has(const char *list, const char *token, size_t token_len)
{
	while (*list) {
		list += strspn(list, " \t,");

		const size_t n = strcspn(list, ",");
		size_t bare = n;

		while (bare && strchr(" \t", list[bare - 1]))
			bare--;
		if (bare == token_len && !strncasecmp(list, token, bare) && bare)
			return true;
		list += n;
	}
	return false;
}

bool head_has_token(const struct head *h, const char *name, const char *token)
{
	const char *value;

	for (unsigned i = 0; (value = head_get(h, name, i)); i++)
		if (head_list_has(value, token, strlen(token)))
			return true;
	return false;
}
