/** @file capture_live.c  A network interface watched through libpcap */
#include "daemon/net/capture_live.h"

#include <errno.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/net/capture_filter.h"
#include "daemon/net/decap.h"

enum {
	SNAPLEN = 65535,
	RING_BYTES = 16 * 1024 * 1024,
	TIMEOUT_MS = 10,      /* a block of the ring is handed over this soon */
	TURN = 512,           /* frames between two looks at the loop */
};

struct capture_live {
	pcap_t *pcap;
	char interface[IF_NAMESIZE];
	struct capture_filter *filter;
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

/* Is it there, and up?  SIOCGIFFLAGS needs no capability. */
static bool is_up(const char *interface)
{
	struct ifreq r = {0};
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", interface);
	const int err = fd < 0 ? -1 : ioctl(fd, SIOCGIFFLAGS, &r);

	if (fd >= 0)
		close(fd);
	return !err && r.ifr_flags & IFF_UP;
}

bool capture_live_sees(const char *interface, struct reason *why)
{
	/* libpcap's own, of all there are */
	if (!strcmp(interface, "any") || is_up(interface))
		return true;
	if (if_nametoindex(interface))
		reason_set(why, REASON_CONFIG, 0,
			   "interface %s is not up: ip link set %s up",
			   interface, interface);
	else
		reason_set(why, REASON_CONFIG, 0,
			   "interface %s is not there (see: ip link)",
			   interface);
	return false;
}

static void explain_loss(const struct capture_live *c, struct reason *why)
{
	if (!if_nametoindex(c->interface))
		reason_set(why, REASON_NETWORK, 0,
			   "interface %s went away: it is looked for every "
			   "second (see: ip link)", c->interface);
	else if (!is_up(c->interface))
		reason_set(why, REASON_NETWORK, 0,
			   "interface %s went down: ip link set %s up",
			   c->interface, c->interface);
	else
		reason_set(why, REASON_NETWORK, 0, "interface %s: %s",
			   c->interface, pcap_geterr(c->pcap));
}

static void on_poll(uv_poll_t *h, int status, int events)
{
	struct capture_live *c = h->data;
	struct reason why;

	(void)events;
	/* what was there before an error is still to be had */
	const int got = pcap_dispatch(c->pcap, TURN, take, (uint8_t *)c);

	if ((status >= 0 && got >= 0) || c->closing)
		return;
	uv_poll_stop(&c->poll);
	explain_loss(c, &why);
	c->cb.failed(&why, c->arg); /* may close c: last line */
}

static int explain(struct capture_live *c, int status, struct reason *why)
{
	const char *text = c->pcap ? pcap_geterr(c->pcap) : "";

	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		reason_set(why, REASON_CONFIG, 0,
			   "interface %s is not there (see: ip link)",
			   c->interface);
		return -ENODEV;
	case PCAP_ERROR_IFACE_NOT_UP:
		reason_set(why, REASON_CONFIG, 0,
			   "interface %s is not up: ip link set %s up",
			   c->interface, c->interface);
		return -ENETDOWN;
	case PCAP_ERROR_PERM_DENIED:
		reason_set(why, REASON_CONFIG, 0,
			   "interface %s: not allowed: the process needs "
			   "CAP_NET_RAW (with systemd: capture.conf as a "
			   "drop-in; by hand: setcap cap_net_raw+ep)",
			   c->interface);
		return -EPERM;
	}
	reason_set(why, REASON_CONFIG, 0, "interface %s: %s", c->interface,
		   text[0] ? text : pcap_statustostr(status));
	return -EIO;
}

static int set_filter(struct capture_live *c, const char *filter,
		      struct reason *why)
{
	struct bpf_program program;
	int err = capture_filter_new(&c->filter, c->link_type, filter, why);

	if (err || !filter[0])
		return err;
	const char *wide = capture_filter_wide(c->filter);

	if (pcap_compile(c->pcap, &program, wide, 1, PCAP_NETMASK_UNKNOWN)) {
		reason_set(why, REASON_CONFIG, 0, "filter \"%s\": %s", filter,
			   pcap_geterr(c->pcap));
		return -EINVAL;
	}
	err = pcap_setfilter(c->pcap, &program);
	pcap_freecode(&program);
	if (err)
		reason_set(why, REASON_CONFIG, 0, "filter: %s",
			   pcap_geterr(c->pcap));
	return err ? -EINVAL : 0;
}

static int activate(struct capture_live *c, const char *filter,
		    struct reason *why)
{
	char text[PCAP_ERRBUF_SIZE] = "";

	c->pcap = pcap_create(c->interface, text);
	if (!c->pcap) {
		reason_set(why, REASON_CONFIG, 0, "interface %s: %s",
			   c->interface, text);
		return -ENOMEM;
	}
	pcap_set_snaplen(c->pcap, SNAPLEN);
	pcap_set_promisc(c->pcap, 1);
	pcap_set_buffer_size(c->pcap, RING_BYTES);
	pcap_set_timeout(c->pcap, TIMEOUT_MS);

	const int status = pcap_activate(c->pcap);
	if (status < 0)
		return explain(c, status, why);
	c->link_type = pcap_datalink(c->pcap);
	if (!decap_knows(c->link_type)) {
		reason_set(why, REASON_CONFIG, 0,
			   "interface %s: its link type %s is not one of "
			   "Ethernet, Linux SLL, raw IP, NULL", c->interface,
			   pcap_datalink_val_to_name(c->link_type));
		return -ENOTSUP;
	}
	pcap_setnonblock(c->pcap, 1, text);
	return set_filter(c, filter, why);
}

static void dispose(struct capture_live *c)
{
	if (c->pcap)
		pcap_close(c->pcap);
	capture_filter_free(c->filter);
	free(c);
}

static void on_closed(uv_handle_t *h)
{
	dispose(h->data);
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
	if (strlen(interface) >= sizeof(c->interface)) {
		reason_set(why, REASON_CONFIG, 0, "interface \"%s\": no name "
			   "is that long (see: ip link)", interface);
		free(c);
		return -ENODEV;
	}
	snprintf(c->interface, sizeof(c->interface), "%s", interface);

	int err = activate(c, filter, why);
	if (!err)
		err = uv_poll_init(loop, &c->poll,
				   pcap_get_selectable_fd(c->pcap));
	if (err) {
		dispose(c);
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

bool capture_live_wants(const struct capture_live *c, const struct frame *f,
			const struct decap_packet *p)
{
	return capture_filter_wants(c->filter, f, p);
}

uint64_t capture_live_dropped(const struct capture_live *c)
{
	struct pcap_stat s;

	return pcap_stats(c->pcap, &s) ? 0 : (uint64_t)s.ps_drop + s.ps_ifdrop;
}
