/** @file app_reload.c  The configuration read again, while calls go on */
#include "daemon/app_reload.h"

#include <jansson.h>
#include <string.h>

#include "daemon/base/log.h"
#include "daemon/services.h"

static void publish(struct core *x, const char *reason, const char *text)
{
	const struct event e = {
		.type = EVENT_DAEMON, .now_us = timers_now_us(x->timers),
		.daemon = { .what = "reload", .reason = reason,
			    .text = *text ? text : NULL },
	};

	core_emit(x, &e);
}

/* Each line for itself; the last has no line feed then. */
static void log_lines(const char *text)
{
	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		log_error("reload", "%.*s", (int)n, text);
	}
}

static int failed(struct core *x, struct answer *a, int err, struct buf *why)
{
	if (!why->len)
		buf_puts(why, strerror(-err));
	while (why->len && buf_str(why)[why->len - 1] == '\n')
		why->data[--why->len] = 0;
	log_lines(buf_str(why));
	log_error("reload", "the configuration stays as it was");
	publish(x, "failed", buf_str(why));
	if (a)
		answer_error(a, "the configuration stays as it was: %s",
			     buf_str(why));
	return err;
}

static void done(struct core *x, struct answer *a, const char *restart)
{
	struct buf text = {0};

	if (*restart)
		buf_printf(&text, "these wait for a restart: %s", restart);
	log_info("reload", "the configuration holds for new calls%s%s",
		 text.len ? "; " : "", buf_str(&text));
	publish(x, "ok", buf_str(&text));
	buf_free(&text);
	if (!a)
		return;
	a->name = "restart";
	a->body = json_string(restart);
}

int app_reload(struct core *x, struct watch *w, struct answer *a)
{
	struct buf why = {0}, restart = {0};
	struct config *next = NULL;
	int err = config_load(&next, x->config->file, &why);

	if (!err) {
		config_restart_keys(&restart, x->config, next);
		err = core_reload(x, next, &why);
		if (err)
			config_free(next);
	}
	watch_reloaded(w, !err);
	if (err)
		failed(x, a, err, &why);
	else
		done(x, a, buf_str(&restart));
	buf_free(&restart);
	buf_free(&why);
	return err;
}
