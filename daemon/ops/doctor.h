/**
 * @file doctor.h  What is wrong with the machine and the configuration, and the fix
 *
 * Facts in, findings out: who gathers them is app_doctor.c.  Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct doctor_asr {
	const char *name;
	const char *down;          /**< Why it is, in words; NULL: it is not */
	const char *key_error;     /**< Why its key cannot be read; NULL */
	uint64_t not_after_s;      /**< Its certificate's end; 0: not known */
};

struct doctor_facts {
	const char *socket[2];     /**< control, events: path; NULL: none */
	unsigned mode[2];          /**< ... and its access */
	const char *port_warnings; /**< Lines; "": none */
	unsigned ports_used, ports;/**< Pairs; 0: no RTP */
	uint64_t drops;            /**< Datagrams our sockets had no room for */
	uint64_t rmem_max, rmem;   /**< A socket's buffer: the machine's limit,
					what is asked for; 0: not known */
	int clock_synchronised;    /**< -1: nobody knows */
	uint64_t now_s;            /**< Unix time */
	const struct doctor_asr *asrs;
	size_t n_asrs;
	const char *journal;       /**< Directory; "": memory */
	const char *journal_trouble; /**< In words; NULL: none */
	uint64_t disk_free, disk_wanted; /**< [bytes] */
	uint64_t files, files_used; /**< Descriptors; 0: no limit */
};

struct doctor_finding {
	const char *check;         /**< "permissions" "ports" "udp" "clock"
					"certificates" "asr" "disk" "files" */
	const char *text;          /**< NULL: all is well with it */
	const char *fix;
};

/** Every check at least once; borrowed. */
void doctor_judge(const struct doctor_facts *f,
		  void (*fn)(const struct doctor_finding *x, void *arg),
		  void *arg);
