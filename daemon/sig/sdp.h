/**
 * @file sdp.h  Session description (RFC 8866), parsed by libosip2
 *
 * Limits: 32 KiB, 8 m-lines, 32 formats a line, 500 lines.  A body without a
 * final line end is fine (RFC 4475 and FreeSWITCH's mod_oreka).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/base/addr.h"
#include "daemon/sig/sdes.h"

enum { SDP_MEDIA_MAX = 8, SDP_FORMATS_MAX = 32, SDP_NAME = 24, SDP_LABEL = 128,
       SDP_PROTO = 24, SDP_LANGUAGE = 36 };

enum sdp_direction { SDP_SENDRECV, SDP_SENDONLY, SDP_RECVONLY, SDP_INACTIVE };

struct sdp_format {
	uint8_t pt;
	char name[SDP_NAME];  /**< As offered, or of the static type; "" */
	uint32_t clock_hz;
	uint32_t channels;    /**< 1 unless said */
};

struct sdp_media {
	/** As they stand in the m-line, for an answer to say them again; "" when
	 * longer or not printable.  `format` is the first of them. */
	char type[SDP_NAME], proto[SDP_PROTO], format[SDP_NAME];
	bool audio;
	bool encrypted;       /**< RTP/SAVP, RTP/SAVPF, UDP/TLS/..., a=crypto */
	bool rtp;             /**< A profile of RTP */
	bool secure;          /**< Its profile makes SRTP a must */
	size_t n_crypto;
	struct sdes crypto[SDES_LINES_MAX]; /**< Its keys (sdes.h), as offered:
					the first is liked best. Only lines
					that can be used; none with DTLS */
	struct addr at;       /**< c= of the line or the session, and its port;
				   family 0: no usable address (a name) */
	uint16_t rtcp_port;   /**< a=rtcp, or port + 1 */
	bool rtcp_mux;
	enum sdp_direction direction; /**< Line's, session's, or sendrecv;
					   0.0.0.0 is inactive (RFC 3264),
					   but for who says sendonly */
	uint32_t ptime_ms;    /**< 0: not said; clamped to 10..200 */
	char label[SDP_LABEL];/**< a=label (RFC 4574), cleaned; "" */
	char language[SDP_LANGUAGE]; /**< a=lang, the first: the line's, or the
					  session's; "" */
	size_t n_formats;
	struct sdp_format formats[SDP_FORMATS_MAX];
};

struct sdp {
	size_t n_media;
	struct sdp_media media[SDP_MEDIA_MAX];
};

/** @return 0, -EBADMSG, -EMSGSIZE or -ENOMEM */
int sdp_parse(struct sdp *out, const char *text, size_t len);
