/**
 * @file fork.h  One websocket of FreeSWITCH: its call, its legs
 *
 * mod_audio_fork and mod_audio_stream (reference: telephony sections 1.3.1,
 * 1.3.2): text first, which tells of the call (ops/metadata.h), then L16 as
 * binary messages; DTMF as text at any time.  Stereo is two legs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "daemon/base/list.h"
#include "daemon/base/log.h"
#include "daemon/ingress/used_ids.h"
#include "daemon/net/clock.h"
#include "daemon/net/websocket.h"
#include "daemon/ops/metadata.h"

/** What all of them share; the way's. */
struct forks {
	struct timers *timers;
	struct clock_live *clock;
	struct calls *calls;
	enum metadata_mix mix;    /**< Where the metadata does not say it */
	bool agent_first;         /**< Of stereo */
	bool send_transcripts;
	struct list all;
	unsigned count;
	uint64_t accepted, unsent; /**< Transcripts not sent to who is slow */
	struct used_ids used;
	struct log_limit bad, slow, failed;
};

/**
 * A new one; `answer` gets its callbacks.  Its call begins with the first
 * message.
 *
 * @return 0 or -ENOMEM
 */
int fork_accept(struct forks *f, struct websocket *ws,
		struct websocket_answer *answer);
/** Every second or so: those that say nothing come to an end. */
void forks_look(struct forks *f, uint64_t now_us);
/** The call named so ends, its websocket is closed.  @return false: none is */
bool forks_hang_up(struct forks *f, const char *call, const char *reason);
/** All calls end, all websockets are closed with 1001. */
void forks_end(struct forks *f, const char *reason);
/** Everything, at once. */
void forks_close(struct forks *f);
