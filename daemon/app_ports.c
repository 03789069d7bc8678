/** @file app_ports.c  Whether rtp { ports } fits this machine */
#include "daemon/app_ports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/base/addr.h"
#include "daemon/base/number.h"
#include "daemon/cfg/listen.h"
#include "daemon/cfg/ports.h"

#define EPHEMERAL "/proc/sys/net/ipv4/ip_local_port_range"

/* "32768\t60999\n"; of IPv6, too (ip(7)). */
static struct ports ephemeral(void)
{
	struct ports p = {0};
	char text[64] = "";
	uint64_t first, last;
	FILE *f = fopen(EPHEMERAL, "re");

	if (!f)
		return p;
	const size_t n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = 0;

	const size_t a = strspn(text, "0123456789");
	const char *rest = text + a + strspn(text + a, " \t");
	if (!number_parse(&first, text, a, UINT16_MAX) &&
	    !number_parse(&last, rest, strspn(rest, "0123456789"), UINT16_MAX))
		p = (struct ports){ (uint16_t)first, (uint16_t)last };
	return p;
}

/* Only binding tells. */
static bool is_ours(const char *address)
{
	struct sockaddr_storage sa;
	struct addr at;

	if (addr_parse(&at, address, strlen(address)))
		return true; /* told elsewhere */
	at.port = 0;
	const socklen_t n = addr_to_sockaddr(&sa, &at);
	const int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const bool no = fd >= 0 && bind(fd, (struct sockaddr *)&sa, n) < 0 &&
			errno == EADDRNOTAVAIL;

	if (fd >= 0)
		close(fd);
	return !no;
}

/* Calls from elsewhere would be told to send their audio to themselves. */
static void warn_of_loopback(struct buf *out, const struct config *c)
{
	struct listen_at l;
	struct addr at;

	if (!c->sip.given ||
	    addr_parse(&at, c->rtp.address, strlen(c->rtp.address)) ||
	    !addr_is_loopback(&at))
		return;
	for (size_t i = 0; c->sip.listen && c->sip.listen[i]; i++) {
		if (listen_parse(&l, c->sip.listen[i], "udp tcp tls") ||
		    addr_is_loopback(&l.at))
			continue;
		buf_printf(out, "sip: %s takes calls from elsewhere, whose audio "
			   "is told to come to %s; write rtp { address = an "
			   "address of this machine that they reach }\n",
			   c->sip.listen[i], c->rtp.address);
		return;
	}
}

/* FreeSWITCH chooses the ports: whatever else is at that address may have
 * them. */
static void warn_oreka(struct buf *out, const struct config *c)
{
	struct listen_at l;
	struct addr rtp = {0};

	(void)addr_parse(&rtp, c->rtp.address, strlen(c->rtp.address));
	for (size_t i = 0; c->oreka.listen && c->oreka.listen[i]; i++) {
		if (listen_parse(&l, c->oreka.listen[i], "udp"))
			continue;
		buf_printf(out, "oreka: FreeSWITCH chooses the UDP ports that "
			   "it sends to at %s: the address must be one where "
			   "nothing else takes any; otherwise use a capture "
			   "section instead\n", c->oreka.listen[i]);
		if (addr_is_any(&l.at) ||
		    (c->rtp.given && addr_same_ip(&rtp, &l.at)))
			buf_printf(out, "oreka: %s is not its own: rtp "
				   "{ address } takes ports there, too; write "
				   "another address\n", c->oreka.listen[i]);
	}
}

void app_ports_warn(struct buf *out, const struct config *c)
{
	const struct ports kernels = ephemeral();
	struct ports p;

	if (c->oreka.given)
		warn_oreka(out, c);
	if (!c->rtp.given && !c->sip.given)
		return;
	if (!ports_parse(&p, c->rtp.ports))
		ports_warn(out, &p, &kernels, c->sip.given ? c->sip.max_calls
							   : 0);
	if (!is_ours(c->rtp.address))
		buf_printf(out, "rtp: %s is no address of this machine: no "
			   "audio can arrive there; write one that `ip address` "
			   "shows\n", c->rtp.address);
	warn_of_loopback(out, c);
}
