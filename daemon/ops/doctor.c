/** @file doctor.c  What is wrong with the machine and the configuration */
#include "daemon/ops/doctor.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/base/array.h"

enum { OTHERS_WRITE = 0002, DAY_S = 24 * 3600, SOON_DAYS = 14 };

struct ward {
	const struct doctor_facts *f;
	void (*fn)(const struct doctor_finding *x, void *arg);
	void *arg;
	const char *check;
	bool told;
};

__attribute__((format(printf, 3, 4)))
static void tell(struct ward *w, const char *fix, const char *fmt, ...)
{
	char text[512];
	const struct doctor_finding x = { w->check, text, fix };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	w->told = true;
	w->fn(&x, w->arg);
}

static void permissions(struct ward *w)
{
	static const char *const names[] = { "control", "events" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (w->f->socket[i] && w->f->mode[i] & OTHERS_WRITE)
			tell(w, "write mode = 0660 in that section, and "
			     "restart", "anybody on this machine may use the "
			     "%s socket %s (mode %04o)", names[i],
			     w->f->socket[i], w->f->mode[i] & 0777);
	for (size_t i = 0; i < w->f->n_asrs; i++)
		if (w->f->asrs[i].key_error)
			tell(w, "chmod 600 and chown it to the service's user, "
			     "then trunkscribectl reload", "asr \"%s\": %s",
			     w->f->asrs[i].name, w->f->asrs[i].key_error);
}

static void ports(struct ward *w)
{
	const char *text = w->f->port_warnings;

	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		tell(w, "change rtp { } or sip { }, and restart", "%.*s",
		     (int)n, text);
	}
	if (w->f->ports && w->f->ports_used * 10 >= w->f->ports * 9)
		tell(w, "widen rtp { ports }, and restart", "%u of %u pairs "
		     "of RTP ports are in use or rest", w->f->ports_used,
		     w->f->ports);
}

static void udp(struct ward *w)
{
	const struct doctor_facts *f = w->f;

	if (f->drops)
		tell(w, "sysctl -w net.core.rmem_max=4194304, and restart; "
		     "where it goes on, the machine is too slow for these "
		     "calls", "the kernel dropped %llu datagrams that our "
		     "sockets had no room for", (unsigned long long)f->drops);
	if (f->rmem_max && f->rmem_max < f->rmem)
		tell(w, "sysctl -w net.core.rmem_max=4194304 (and in "
		     "/etc/sysctl.d), and restart", "a socket may keep %llu "
		     "bytes, %llu are asked for",
		     (unsigned long long)f->rmem_max,
		     (unsigned long long)f->rmem);
}

static void clock_(struct ward *w)
{
	if (!w->f->clock_synchronised)
		tell(w, "install chrony or systemd-timesyncd", "nobody keeps "
		     "the clock right: times of events, and what is made of "
		     "certificates, may be wrong");
}

static void certificates(struct ward *w)
{
	for (size_t i = 0; i < w->f->n_asrs; i++) {
		const struct doctor_asr *a = &w->f->asrs[i];
		const int64_t left_s = (int64_t)a->not_after_s -
				       (int64_t)w->f->now_s;

		if (a->not_after_s && left_s < SOON_DAYS * DAY_S)
			tell(w, "tell whoever runs the service; nothing is "
			     "sent there behind its end", "the certificate of "
			     "asr \"%s\" ends in %lld days", a->name,
			     (long long)(left_s / DAY_S));
	}
}

static void asrs(struct ward *w)
{
	for (size_t i = 0; i < w->f->n_asrs; i++)
		if (w->f->asrs[i].down)
			tell(w, "trunkscribed --probe NAME tries it phase by "
			     "phase", "asr \"%s\" is down: %s",
			     w->f->asrs[i].name, w->f->asrs[i].down);
}

static void disk(struct ward *w)
{
	const struct doctor_facts *f = w->f;

	if (f->journal_trouble)
		tell(w, "make room, or see to the disk; it is tried again each "
		     "5 s", "the journal is not on disk: %s",
		     f->journal_trouble);
	if (*f->journal && f->disk_free < f->disk_wanted)
		tell(w, "make room, or write a smaller journal { size }",
		     "%s has %llu MiB left, the journal may want %llu more",
		     f->journal, (unsigned long long)f->disk_free >> 20,
		     (unsigned long long)f->disk_wanted >> 20);
}

static void files(struct ward *w)
{
	if (w->f->files && w->f->files_used * 10 >= w->f->files * 9)
		tell(w, "raise LimitNOFILE of the unit (ulimit -n)", "%llu of "
		     "%llu file descriptors are in use",
		     (unsigned long long)w->f->files_used,
		     (unsigned long long)w->f->files);
}

void doctor_judge(const struct doctor_facts *f,
		  void (*fn)(const struct doctor_finding *x, void *arg),
		  void *arg)
{
	static const struct {
		const char *name;
		void (*look)(struct ward *w);
	} checks[] = {
		{ "permissions", permissions }, { "ports", ports },
		{ "udp", udp }, { "clock", clock_ },
		{ "certificates", certificates }, { "asr", asrs },
		{ "disk", disk }, { "files", files },
	};
	struct ward w = { .f = f, .fn = fn, .arg = arg };

	for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
		w.check = checks[i].name;
		w.told = false;
		checks[i].look(&w);
		if (!w.told)
			fn(&(struct doctor_finding){ w.check, NULL, NULL },
			   arg);
	}
}
