/** @file turns.c  How long the turns of a loop take */
#include "daemon/net/turns.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

struct turns {
	uv_prepare_t handle; /* runs right before each poll */
	uint64_t at_ns;
	uint64_t longest_ns;
};

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void on_prepare(uv_prepare_t *h)
{
	struct turns *t = h->data;
	const uint64_t now_ns = cpu_ns();

	if (t->at_ns && now_ns - t->at_ns > t->longest_ns)
		t->longest_ns = now_ns - t->at_ns;
	t->at_ns = now_ns;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

int turns_open(struct turns **out, uv_loop_t *loop)
{
	struct turns *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	uv_prepare_init(loop, &t->handle);
	t->handle.data = t;
	uv_prepare_start(&t->handle, on_prepare);
	uv_unref((uv_handle_t *)&t->handle);
	*out = t;
	return 0;
}

void turns_close(struct turns *t)
{
	if (t && !uv_is_closing((uv_handle_t *)&t->handle))
		uv_close((uv_handle_t *)&t->handle, on_closed);
}

uint64_t turns_longest_us(const struct turns *t)
{
	return t->longest_ns / 1000;
}
