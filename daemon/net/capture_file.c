#include "daemon/net/capture_file.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/base/array.h"
#include "daemon/net/decap.h"

enum { READ_AHEAD = 64 * 1024 };

/* Latest second believed: the end of year 9999.  pcapng can announce any. */
#define SECONDS_MAX UINT64_C(253402300799)

struct capture_file {
	pcap_t *pcap;
	int link_type;
	uint64_t frames;      /* Handed out */
	bool damaged;         /* Nothing more comes */
	struct reason damage;
};

/* Names that editcap -T and the filter frame.encap_type know
 * (wireshark: wiretap/wtap.h; checked with wireshark-common 4.0) */
static const struct tool_name {
	int link_type;
	const char *name;
	int encap_type;
} tool_names[] = {
	{ DLT_EN10MB, "ether", 1 },
	{ DLT_RAW, "rawip", 7 },
	{ DLT_NULL, "null", 15 },
	{ DLT_LINUX_SLL, "linux-sll", 25 },
	{ DLT_LOOP, "loop", 174 },
	{ DLT_LINUX_SLL2, "linux-sll2", 210 },
};

/* What a file that is no capture looks like at its first byte */
static const struct disguise {
	int first;
	const char *what, *cure;
} disguises[] = {
	{ 0x1f, "gzip", "gunzip" },
	{ 0x28, "zstd", "unzstd" },
	{ 0xfd, "xz", "unxz" },
	{ 'B', "bzip2", "bunzip2" },
};

static int refuse(struct reason *why, int err, const char *text)
{
	reason_set(why, REASON_PROTOCOL, 0, "%s", text);
	return err;
}

static int open_plain(FILE **out, const char *path, struct reason *why)
{
	struct stat st;
	FILE *file = fopen(path, "rb");

	if (!file) {
		const int err = errno;

		if (err == EACCES || err == EPERM)
			return refuse(why, -EACCES,
				      "no permission to read the capture: "
				      "chmod or chown it");
		reason_set(why, REASON_PROTOCOL, 0,
			   "cannot open the capture: %s: check the path",
			   strerror(err));
		return err == ENOMEM ? -ENOMEM : -ENOENT;
	}
	if (fstat(fileno(file), &st) == 0 && S_ISDIR(st.st_mode)) {
		fclose(file);
		return refuse(why, -EBADMSG,
			      "is a directory: name one capture file");
	}
	(void)setvbuf(file, NULL, _IOFBF, READ_AHEAD);
	*out = file;
	return 0;
}

/* libpcap's own text, or a better one where the first byte tells more */
static void explain(struct reason *why, int first, const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(disguises); i++) {
		const struct disguise *d = &disguises[i];

		if (d->first == first) {
			reason_set(why, REASON_PROTOCOL, 0,
				   "looks like a %s file, not a capture: "
				   "%s it first", d->what, d->cure);
			return;
		}
	}
	if (strstr(text, "unknown file format"))
		reason_set(why, REASON_PROTOCOL, 0,
			   "not a capture (pcap or pcapng); other formats: "
			   "editcap -F pcapng FILE new.pcapng");
	else
		reason_set(why, REASON_PROTOCOL, 0, "not a capture: %s", text);
}

int capture_file_open(struct capture_file **out, const char *path,
		      struct reason *why)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	FILE *file;
	int err = open_plain(&file, path, why);

	if (err)
		return err;
	/* One byte can be put back, also where the file is a pipe */
	const int first = getc(file);

	if (first == EOF) {
		fclose(file);
		return refuse(why, -EBADMSG,
			      "not a capture: the file is empty");
	}
	ungetc(first, file);
	struct capture_file *f = calloc(1, sizeof(*f));

	if (!f) {
		fclose(file);
		return refuse(why, -ENOMEM, "out of memory");
	}
	f->pcap = pcap_fopen_offline_with_tstamp_precision(
		file, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!f->pcap) {
		fclose(file);
		free(f);
		explain(why, first, text);
		return -EBADMSG;
	}
	f->link_type = pcap_datalink(f->pcap);
	if (!decap_knows(f->link_type)) {
		const char *name = pcap_datalink_val_to_name(f->link_type);

		reason_set(why, REASON_PROTOCOL, 0,
			   "link type %s (%d) cannot be read: capture on "
			   "Ethernet, on \"any\" (SLL, SLL2), raw IP or "
			   "loopback", name ? name : "?", f->link_type);
		capture_file_close(f);
		return -ENOTSUP;
	}
	*out = f;
	return 0;
}

void capture_file_close(struct capture_file *f)
{
	if (!f)
		return;
	pcap_close(f->pcap); /* Closes the file too */
	free(f);
}

static void explain_mixed(const struct capture_file *f, struct reason *why)
{
	for (size_t i = 0; i < ARRAY_LEN(tool_names); i++) {
		const struct tool_name *n = &tool_names[i];

		if (n->link_type == f->link_type) {
			reason_set(why, REASON_PROTOCOL, 0,
				   "mixed link types; keep one: tshark -r FILE "
				   "-Y frame.encap_type==%d -w - | editcap "
				   "-F nsecpcap -T %s - %s.pcap",
				   n->encap_type, n->name, n->name);
			return;
		}
	}
	reason_set(why, REASON_PROTOCOL, 0,
		   "mixed link types: capture on one interface, or keep one "
		   "type with tshark -Y and editcap -T");
}

static int end_damaged(struct capture_file *f, struct reason *why)
{
	const char *text = pcap_geterr(f->pcap);

	f->damaged = true;
	if (strstr(text, "different from the type of the first interface"))
		explain_mixed(f, &f->damage);
	else if (strstr(text, "truncated dump file") ||
		 strstr(text, "truncated pcapng dump file"))
		reason_set(&f->damage, REASON_PROTOCOL, 0,
			   "cut off (truncated dump file): the %" PRIu64
			   " whole frames were used; copy the file again for "
			   "the rest", f->frames);
	else
		reason_set(&f->damage, REASON_PROTOCOL, 0,
			   "damaged after %" PRIu64 " frames: %s", f->frames,
			   text);
	*why = f->damage;
	return -EBADMSG;
}

static uint64_t to_us(const struct timeval *ts)
{
	/* Classic files hold 32 unsigned bits, which libpcap may take for
	 * signed; with nanosecond precision tv_usec holds nanoseconds */
	const uint64_t s = ts->tv_sec >= 0 ? (uint64_t)ts->tv_sec
					   : (uint32_t)ts->tv_sec;
	const uint64_t ns = ts->tv_usec >= 0 && ts->tv_usec < 1000000000
				    ? (uint64_t)ts->tv_usec : 0;

	return MIN(s, SECONDS_MAX) * 1000000 + ns / 1000;
}

int capture_file_next(struct capture_file *f, struct frame *out,
		      struct reason *why)
{
	struct pcap_pkthdr *head;
	const uint8_t *data;

	if (f->damaged) {
		*why = f->damage;
		return -EBADMSG;
	}
	const int got = pcap_next_ex(f->pcap, &head, &data);

	if (got == PCAP_ERROR_BREAK)
		return 0;
	if (got != 1)
		return end_damaged(f, why);
	f->frames++;
	*out = (struct frame){
		.at_us = to_us(&head->ts),
		.link_type = f->link_type,
		.data = data,
		.len = head->caplen,
		.wire_len = MAX(head->len, head->caplen),
	};
	return 1;
}
