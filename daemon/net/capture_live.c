/** @file capture_live.c  A network interface watched through libpcap */
#include "daemon/net/capture_live.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/net/decap.h"

enum {
	SNAPLEN = 65535,
	RING_BYTES = 16 * 1024 * 1024,
	TIMEOUT_MS = 10,      /* a block of the ring is handed over this soon */
	TURN = 512,           /* frames between two looks at the loop */
};

struct capture_live {
	pcap_t *pcap;
	uv_poll_t poll;
	struct capture_live_cb cb;
	void *arg;
	int link_type;
	bool closing;
};

static void take(uint8_t *user, const struct pcap_pkthdr *h,
		 const uint8_t *data)
{
	struct capture_live *c = (struct capture_live *)(void *)user;
	const struct frame f = {
		.at_us = (uint64_t)h->ts.tv_sec * 1000000 +
			 (uint64_t)h->ts.tv_usec,
		.link_type = c->link_type, .data = data, .len = h->caplen,
		.wire_len = h->len,
	};

	if (!c->closing)
		c->cb.frame(&f, c->arg);
}

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct capture_live *c = h->data;
	struct reason why;

	(void)events;
	if (status >= 0 &&
	    pcap_dispatch(c->pcap, TURN, take, (uint8_t *)c) >= 0)
		return;
	uv_poll_stop(&c->poll);
	reason_set(&why, REASON_NETWORK, 0, "%s",
		   status < 0 ? strerror(-status) : pcap_geterr(c->pcap));
	c->cb.failed(&why, c->arg); /* may close c: last line */
}

static int explain(struct capture_live *c, int status, const char *interface,
		   struct reason *why)
{
	const char *text = c->pcap ? pcap_geterr(c->pcap) : "";

	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
	case PCAP_ERROR_IFACE_NOT_UP:
		reason_set(why, REASON_CONFIG, 0,
			   "interface %s: not there, or not up (see: ip link)",
			   interface);
		return -ENODEV;
	case PCAP_ERROR_PERM_DENIED:
		reason_set(why, REASON_CONFIG, 0,
			   "interface %s: not allowed: the process needs "
			   "CAP_NET_RAW (trunkscribed-capture.service has it)",
			   interface);
		return -EPERM;
	}
	reason_set(why, REASON_CONFIG, 0, "interface %s: %s", interface,
		   text[0] ? text : pcap_statustostr(status));
	return -EIO;
}

static int set_filter(struct capture_live *c, const char *filter,
		      struct reason *why)
{
	struct bpf_program program;

	if (!filter[0])
		return 0;
	if (pcap_compile(c->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN)) {
		reason_set(why, REASON_CONFIG, 0, "filter \"%s\": %s", filter,
			   pcap_geterr(c->pcap));
		return -EINVAL;
	}

	const int err = pcap_setfilter(c->pcap, &program);
	pcap_freecode(&program);
	if (err)
		reason_set(why, REASON_CONFIG, 0, "filter: %s",
			   pcap_geterr(c->pcap));
	return err ? -EINVAL : 0;
}

static int activate(struct capture_live *c, const char *interface,
		    const char *filter, struct reason *why)
{
	char text[PCAP_ERRBUF_SIZE] = "";

	c->pcap = pcap_create(interface, text);
	if (!c->pcap) {
		reason_set(why, REASON_CONFIG, 0, "interface %s: %s", interface,
			   text);
		return -ENOMEM;
	}
	pcap_set_snaplen(c->pcap, SNAPLEN);
	pcap_set_promisc(c->pcap, 1);
	pcap_set_buffer_size(c->pcap, RING_BYTES);
	pcap_set_timeout(c->pcap, TIMEOUT_MS);

	const int status = pcap_activate(c->pcap);
	if (status < 0)
		return explain(c, status, interface, why);
	c->link_type = pcap_datalink(c->pcap);
	if (!decap_knows(c->link_type)) {
		reason_set(why, REASON_CONFIG, 0,
			   "interface %s: its link type %s is not one of "
			   "Ethernet, Linux SLL, raw IP, NULL", interface,
			   pcap_datalink_val_to_name(c->link_type));
		return -ENOTSUP;
	}
	pcap_setnonblock(c->pcap, 1, text);
	return set_filter(c, filter, why);
}

static void on_closed(uv_handle_t *h)
{
	struct capture_live *c = h->data;

	pcap_close(c->pcap);
	free(c);
}

int capture_live_open(struct capture_live **out, uv_loop_t *loop,
		      const char *interface, const char *filter,
		      const struct capture_live_cb *cb, void *arg,
		      struct reason *why)
{
	struct capture_live *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	c->cb = *cb;
	c->arg = arg;

	int err = activate(c, interface, filter, why);
	if (!err)
		err = uv_poll_init(loop, &c->poll,
				   pcap_get_selectable_fd(c->pcap));
	if (err) {
		if (c->pcap)
			pcap_close(c->pcap);
		free(c);
		return err;
	}
	c->poll.data = c;
	uv_poll_start(&c->poll, UV_READABLE, on_poll);
	*out = c;
	return 0;
}

void capture_live_close(struct capture_live *c)
{
	if (!c || c->closing)
		return;
	c->closing = true;
	pcap_breakloop(c->pcap);
	uv_close((uv_handle_t *)&c->poll, on_closed);
}

uint64_t capture_live_dropped(const struct capture_live *c)
{
	struct pcap_stat s;

	return pcap_stats(c->pcap, &s) ? 0 : (uint64_t)s.ps_drop + s.ps_ifdrop;
}
