/** @file frames_impl.h  Shared by frames.c and frames_out.c only */
#pragma once

#include <wslay/wslay.h>

#include "daemon/ws/frames.h"
#include "daemon/ws/gate.h"

enum { CONTROL_MAX = 125 };

struct frames {
	wslay_event_context_ptr wslay;
	struct frames_cb cb;
	frames_random_fn *random;
	void *arg;
	bool server;
	bool stopped;

	const uint8_t *in;  /* being fed */
	size_t in_left;
	struct gate gate;
	bool dry;           /* wslay has had it all */
	uint64_t now_us;

	uint8_t opcode;     /* of the frame being read */
	size_t total;       /* announced by the frames of this message */
	struct buf message;
	bool dropping;

	uint8_t close[CONTROL_MAX];
	size_t close_len;
	bool peer_closed;
	unsigned verdict;   /* close code of ours; 0: nothing wrong */
	const char *wrong;

	uint64_t second_us; /* the second in which `controls` came */
	unsigned controls;
	struct buf pongs;   /* each: length, payload */
	unsigned n_pongs;
};
