/** @file app_doctor.c  Looks at the machine for ops/doctor.h */
#include "daemon/app_doctor.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "daemon/app_ports.h"
#include "daemon/base/array.h"
#include "daemon/base/number.h"
#include "daemon/ops/doctor.h"
#include "daemon/services.h"

enum {
	RMEM = 2 * 1024 * 1024,  /* of a SIP socket (sip_sockets.c) */
	LINE = 512,
	UDP_INODE = 9, UDP_DROPS = 12, /* columns of /proc/net/udp */
};

/* -- sockets ----------------------------------------------------------------- */

struct inodes {
	unsigned long long *kept;
	size_t n, size;
};

static void inode_add(struct inodes *all, unsigned long long inode)
{
	if (all->n == all->size) {
		const size_t size = all->size ? 2 * all->size : 64;
		void *kept = realloc(all->kept, size * sizeof(*all->kept));

		if (!kept)
			return;
		all->kept = kept;
		all->size = size;
	}
	all->kept[all->n++] = inode;
}

static int rising(const void *a, const void *b)
{
	const unsigned long long x = *(const unsigned long long *)a;
	const unsigned long long y = *(const unsigned long long *)b;

	return (x > y) - (x < y);
}

/* Ours, sorted; @return descriptors in use. */
static uint64_t inodes_of_ours(struct inodes *all)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *e;
	uint64_t files = 0;

	while (d && (e = readdir(d))) {
		char to[64];
		const ssize_t n = readlinkat(dirfd(d), e->d_name, to,
					     sizeof(to) - 1);

		files += n > 0;
		if (n <= 0 || strncmp(to, "socket:[", 8) != 0)
			continue;
		to[n] = 0;
		inode_add(all, strtoull(to + 8, NULL, 10));
	}
	if (d)
		closedir(d);
	if (all->n)
		qsort(all->kept, all->n, sizeof(*all->kept), rising);
	return files;
}

static uint64_t drops_in(const char *path, const struct inodes *ours)
{
	FILE *file = fopen(path, "re");
	char line[LINE];
	uint64_t sum = 0;

	while (file && fgets(line, sizeof(line), file)) {
		unsigned long long inode = 0, drops = 0;
		char *save = NULL, *word = strtok_r(line, " \n", &save);

		for (int i = 0; word; i++) {
			if (i == UDP_INODE)
				inode = strtoull(word, NULL, 10);
			if (i == UDP_DROPS)
				drops = strtoull(word, NULL, 10);
			word = strtok_r(NULL, " \n", &save);
		}
		if (inode && ours->n &&
		    bsearch(&inode, ours->kept, ours->n, sizeof(*ours->kept),
			    rising))
			sum += drops;
	}
	if (file)
		fclose(file);
	return sum;
}

static uint64_t number_in(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[LINE];
	uint64_t n = 0;

	if (file && fgets(line, sizeof(line), file))
		(void)number_parse(&n, line, strcspn(line, "\n"), INT64_MAX);
	if (file)
		fclose(file);
	return n;
}

static void look_at_sockets(struct doctor_facts *f)
{
	struct inodes ours = {0};
	struct rlimit limit;

	f->files_used = inodes_of_ours(&ours);
	if (!getrlimit(RLIMIT_NOFILE, &limit) &&
	    limit.rlim_cur != RLIM_INFINITY)
		f->files = limit.rlim_cur;
	f->drops = drops_in("/proc/net/udp", &ours) +
		   drops_in("/proc/net/udp6", &ours);
	f->rmem_max = number_in("/proc/sys/net/core/rmem_max");
	free(ours.kept);
}

/* -- others ------------------------------------------------------------------ */

static void look_at_paths(struct doctor_facts *f, const struct core *x)
{
	const char *const paths[] = { x->config->control.socket,
				      x->config->events.socket };
	struct journal_stats js;
	struct statvfs disk;
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (stat(paths[i], &st))
			continue;
		f->socket[i] = paths[i];
		f->mode[i] = st.st_mode;
	}
	journal_stats(x->journal, &js);
	f->journal = js.on_disk ? x->config->journal.directory : "";
	f->journal_trouble = js.trouble ? strerror(-js.trouble) : NULL;
	if (*f->journal && !statvfs(f->journal, &disk)) {
		f->disk_free = (uint64_t)disk.f_bavail * disk.f_frsize;
		f->disk_wanted = x->config->journal.size > js.bytes
					 ? x->config->journal.size - js.bytes
					 : 0;
	}
}

static int synchronised(void)
{
	struct timex t = { .modes = 0 };
	const int state = adjtimex(&t);

	return state < 0 ? -1 : state != TIME_ERROR && !(t.status & STA_UNSYNC);
}

/* The key as it is now, not as it was read. */
static char *key_error(const struct config_asr *c)
{
	struct buf secret = {0}, why = {0};
	char *text = NULL;

	if (*c->api_key_file &&
	    config_secret(&secret, c->api_key_file,
			  getenv("CREDENTIALS_DIRECTORY"), &why))
		text = strdup(buf_str(&why));
	config_wipe(&secret);
	buf_free(&why);
	return text;
}

static void look_at_asrs(struct doctor_asr *asrs, const struct core *x)
{
	const struct config *c = services_config(x->services);

	for (size_t i = 0; i < c->n_asrs; i++) {
		const struct service *s =
			services_find(x->services, c->asrs[i].name);
		const struct reason *down = s ? gate_down(s->gate) : NULL;

		asrs[i] = (struct doctor_asr){
			.name = c->asrs[i].name,
			.down = down ? down->text : NULL,
			.key_error = key_error(&c->asrs[i]),
			.not_after_s = s ? s->not_after_s : 0,
		};
	}
}

static void put_text(json_t *o, const char *key, const char *text)
{
	json_t *v = json_string(text);

	json_object_set_new(o, key, v ? v : json_string("?"));
}

static void on_finding(const struct doctor_finding *f, void *arg)
{
	json_t *o = json_object();

	put_text(o, "check", f->check);
	json_object_set_new(o, "ok", json_boolean(!f->text));
	if (f->text) {
		put_text(o, "text", f->text);
		put_text(o, "fix", f->fix);
	}
	json_array_append_new(arg, o);
}

void app_doctor(const struct core *x, const struct status *s, struct answer *a)
{
	const size_t n = services_config(x->services)->n_asrs;
	struct doctor_asr *asrs = calloc(n + 1, sizeof(*asrs));
	struct buf warnings = {0};
	uv_timeval64_t now;
	struct doctor_facts f = {
		.ports_used = s->ports_used, .ports = s->ports,
		.rmem = x->config->sip.given ? RMEM : 0,
		.clock_synchronised = synchronised(), .asrs = asrs,
	};

	if (!asrs) {
		answer_error(a, "no memory");
		return;
	}
	uv_gettimeofday(&now);
	f.now_s = (uint64_t)now.tv_sec;
	f.n_asrs = n;
	app_ports_warn(&warnings, x->config);
	f.port_warnings = buf_str(&warnings);
	look_at_sockets(&f);
	look_at_paths(&f, x);
	look_at_asrs(asrs, x);
	a->name = "findings";
	a->body = json_array();
	doctor_judge(&f, on_finding, a->body);
	for (size_t i = 0; i < n; i++)
		free((char *)asrs[i].key_error);
	free(asrs);
	buf_free(&warnings);
}
