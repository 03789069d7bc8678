/** @file app_capture.c  Whether capture {} makes sense, before it is opened */
#include "daemon/app_capture.h"

#include "daemon/net/capture_filter.h"
#include "daemon/net/capture_live.h"

int app_capture_check(struct buf *out, const struct config *c)
{
	struct capture_filter *f;
	struct reason why;

	if (!c->capture.given)
		return 0;
	if (!capture_live_sees(c->capture.interface, &why))
		buf_printf(out, "warning: capture: %s\n", why.text);
	/* nearly all are Ethernet; what only others know is told at start */
	const int err = capture_filter_new(&f, capture_filter_ethernet(),
					   c->capture.filter, &why);
	if (err) {
		buf_printf(out, "capture: %s\n", why.text);
		return err;
	}
	capture_filter_free(f);
	return 0;
}
