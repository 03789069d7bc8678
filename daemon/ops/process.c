/** @file process.c  The process's own figures, by the names all exporters use */
#include "daemon/ops/process.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void one(struct buf *out, const char *name, const char *type,
		const char *help, double value)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.15g\n", name, help,
		   name, type, name, value);
}

/* A number of /proc/self/FILE, the n-th word behind the last ')'. */
static uint64_t number_of(const char *file, unsigned n)
{
	char text[1024], *at;
	FILE *f = fopen(file, "re");
	uint64_t value = 0;

	if (!f)
		return 0;
	const size_t len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = 0;
	at = strrchr(text, ')');
	at = at ? at + 1 : text;
	for (at += strspn(at, " "); n > 0 && *at; n--) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	for (; *at >= '0' && *at <= '9'; at++)
		value = value * 10 + (uint64_t)(*at - '0');
	return value;
}

static unsigned open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n > 3 ? n - 3 : 0; /* ".", ".." and its own */
}

void process_print(struct buf *out)
{
	struct rlimit files = { .rlim_cur = RLIM_INFINITY };
	struct rusage used;
	const uint64_t pages = number_of("/proc/self/statm", 1);
	/* proc(5): field 22, in ticks since the machine started */
	const uint64_t ticks = number_of("/proc/self/stat", 19);

	if (!getrusage(RUSAGE_SELF, &used))
		one(out, "process_cpu_seconds_total", "counter",
		    "Processor time used.",
		    (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
		    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) /
		    1e6);
	one(out, "process_resident_memory_bytes", "gauge", "Memory in use.",
	    (double)pages * (double)sysconf(_SC_PAGESIZE));
	one(out, "process_open_fds", "gauge", "Open files and sockets.",
	    open_files());
	if (!getrlimit(RLIMIT_NOFILE, &files) &&
	    files.rlim_cur != RLIM_INFINITY)
		one(out, "process_max_fds", "gauge",
		    "Files and sockets that may be open.",
		    (double)files.rlim_cur);
	struct timespec up, now;

	if (!clock_gettime(CLOCK_BOOTTIME, &up) &&
	    !clock_gettime(CLOCK_REALTIME, &now))
		one(out, "process_start_time_seconds", "gauge",
		    "When it was started (Unix time).",
		    (double)(now.tv_sec - up.tv_sec) +
		    (double)ticks / (double)sysconf(_SC_CLK_TCK));
}
