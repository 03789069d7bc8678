/** @file srtp.c  SRTP and SRTCP by libsrtp2 */
#include "daemon/media/srtp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <srtp2/srtp.h>

#include "daemon/base/rd.h"

enum {
	WINDOW = 128,
	OVERTAKEN = 16,          /* packets of the new key that let the old go */
	PROBED = 8,              /* packets of nobody known: all of these, */
	PROBED_EACH = 64,        /* then one of so many; each costs a lot */
	SRTCP_INDEX = 4,         /* [bytes], with the E bit */
	TAG_RTCP = 10, TAG_GCM = 16,
};

static bool is_gcm(uint8_t suite)
{
	return suite == SRTP_AES_128_GCM || suite == SRTP_AES_256_GCM;
}

/* [bytes] of the tag of RTP */
static size_t rtp_tag(uint8_t suite)
{
	const bool is_short = suite == SRTP_AES_CM_128_32 ||
			      suite == SRTP_AES_256_CM_32;

	return is_gcm(suite) ? TAG_GCM : is_short ? 4 : TAG_RTCP;
}

static size_t rtcp_tag(uint8_t suite)
{
	return is_gcm(suite) ? TAG_GCM : TAG_RTCP;
}

/* -- contexts --------------------------------------------------------------- */

/* RFC 4568 section 6.2: reports carry 80 bits also where audio carries 32 */
static int set_policy(srtp_policy_t *p, uint8_t suite)
{
	switch (suite) {
	case SRTP_AES_CM_128_80:
		srtp_crypto_policy_set_rtp_default(&p->rtp);
		srtp_crypto_policy_set_rtcp_default(&p->rtcp);
		return 0;
	case SRTP_AES_CM_128_32:
		srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(&p->rtp);
		srtp_crypto_policy_set_rtcp_default(&p->rtcp);
		return 0;
	case SRTP_AES_256_CM_80:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtp);
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtcp);
		return 0;
	case SRTP_AES_256_CM_32:
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(&p->rtp);
		srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(&p->rtcp);
		return 0;
	case SRTP_AES_128_GCM:
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&p->rtp);
		srtp_crypto_policy_set_aes_gcm_128_16_auth(&p->rtcp);
		return 0;
	case SRTP_AES_256_GCM:
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&p->rtp);
		srtp_crypto_policy_set_aes_gcm_256_16_auth(&p->rtcp);
		return 0;
	default:
		return -EINVAL;
	}
}

int srtp_prepare(void)
{
	static bool began;

	if (!began && srtp_init() != srtp_err_status_ok)
		return -ENOTSUP;
	began = true;
	return 0;
}

static int context_new(struct srtp_context *out, const struct srtp_key *key,
		       srtp_ssrc_type_t direction)
{
	struct srtp_context c = { .key = *key };
	srtp_policy_t p = { .ssrc = { .type = direction },
			    .window_size = WINDOW, .key = c.key.key };
	int err = set_policy(&p, key->suite);

	if (!err)
		err = srtp_prepare();
	if (err)
		return err;
	switch (srtp_create(&c.ctx, &p)) {
	case srtp_err_status_ok:
		*out = c;
		break;
	case srtp_err_status_alloc_fail:
		err = -ENOMEM;
		break;
	default:
		err = -ENOTSUP;
		break;
	}
	explicit_bzero(&c, sizeof(c));
	return err;
}

static void context_clear(struct srtp_context *c)
{
	if (c->ctx)
		srtp_dealloc(c->ctx);
	explicit_bzero(c, sizeof(*c));
}

/* In whose byte order differs between versions */
static void forget(struct srtp_context *c, uint32_t ssrc)
{
	if (srtp_remove_stream(c->ctx, htonl(ssrc)))
		(void)srtp_remove_stream(c->ctx, ssrc);
}

/* It spoke: the first of those that did */
static void remember(struct srtp_context *c, uint32_t ssrc)
{
	unsigned i = 0;

	while (i < c->n_spoke && c->spoke[i] != ssrc)
		i++;
	if (i == SRTP_SOURCES)
		forget(c, c->spoke[--i]);
	else if (i == c->n_spoke)
		c->n_spoke++;
	memmove(c->spoke + 1, c->spoke, i * sizeof(*c->spoke));
	c->spoke[0] = ssrc;
}

/* -- receiving -------------------------------------------------------------- */

/* The header, and what `trailer` says, are there */
static bool is_srtp(const uint8_t *data, size_t len, size_t trailer)
{
	struct rd r = rd_of(data, len);
	const uint8_t first = rd_u8(&r);

	rd_take(&r, 11 + 4 * (size_t)(first & 15));
	if (first & 0x10) {
		rd_u16(&r);
		rd_take(&r, 4 * (size_t)rd_u16(&r));
	}
	rd_take(&r, trailer);
	return !r.bad && first >> 6 == 2;
}

static bool is_srtcp(const uint8_t *data, size_t len, size_t trailer)
{
	return len >= 8 + trailer && data[0] >> 6 == 2;
}

static int error_of(srtp_err_status_t e)
{
	switch (e) {
	case srtp_err_status_ok:
		return 0;
	case srtp_err_status_replay_fail:
	case srtp_err_status_replay_old:
		return -EALREADY;
	default:
		return -EACCES;
	}
}

/*
 * The key's MKI has to be where it belongs, and is taken out: in front of the
 * tag of HMAC, at the end with GCM (RFC 3711 figures 1 and 2, RFC 7714 figures
 * 3 and 5).  libsrtp2 2.5 looks for that of a report behind a tag of RTP's
 * length.  No tag covers it.
 */
static size_t take_out_mki(struct srtp_plain *p, const struct srtp_key *k,
			   size_t tag)
{
	const size_t behind = is_gcm(k->suite) ? 0 : tag;
	uint8_t *mki = p->data + p->len - behind - k->mki_len;

	if (memcmp(mki, k->mki, k->mki_len))
		return 0;
	memmove(mki, mki + k->mki_len, behind);
	return p->len - k->mki_len;
}

static int decrypt(struct srtp_context *c, struct srtp_plain *p,
		   const uint8_t *data, size_t len, bool rtcp)
{
	memcpy(p->data, data, len);
	p->len = len;

	int n = (int)take_out_mki(p, &c->key, rtcp ? rtcp_tag(c->key.suite)
						   : rtp_tag(c->key.suite));
	const int err = !n ? -EACCES
		: error_of(rtcp ? srtp_unprotect_rtcp(c->ctx, p->data, &n)
				: srtp_unprotect(c->ctx, p->data, &n));
	if (!err)
		p->len = (size_t)n;
	return err;
}

/* With this rollover counter? */
static int decrypt_at(struct srtp_context *c, uint32_t roc, uint32_t ssrc,
		      struct srtp_plain *p, const uint8_t *data, size_t len)
{
	struct srtp_key key = c->key;
	srtp_policy_t one = { .ssrc = { .type = ssrc_specific, .value = ssrc },
			      .window_size = WINDOW, .key = key.key };
	int err = -EACCES;

	if (!set_policy(&one, key.suite) && !srtp_add_stream(c->ctx, &one)) {
		if (!srtp_set_stream_roc(c->ctx, ssrc, roc))
			err = decrypt(c, p, data, len, false);
		if (err)
			forget(c, ssrc);
	}
	explicit_bzero(&key, sizeof(key));
	return err;
}

static bool is_known(const struct srtp_context *c, uint32_t ssrc)
{
	for (unsigned i = 0; i < c->n_spoke; i++)
		if (c->spoke[i] == ssrc)
			return true;
	return false;
}

/* An SSRC not heard with this key, whose counter is not 0: has it just
 * wrapped, or was it kept from the key before? */
static int probe(struct srtp_context *c, const struct srtp_context *before,
		 uint32_t ssrc, struct srtp_plain *p, const uint8_t *data,
		 size_t len)
{
	uint32_t roc = 0;

	if (is_known(c, ssrc))
		return -EACCES;
	if (c->failed++ >= PROBED && c->failed % PROBED_EACH)
		return -EACCES;
	if (!decrypt_at(c, 1, ssrc, p, data, len))
		return 0;
	if (!before->ctx || !is_known(before, ssrc) ||
	    srtp_get_stream_roc(before->ctx, ssrc, &roc))
		return -EACCES;
	if (roc > 1 && !decrypt_at(c, roc, ssrc, p, data, len))
		return 0;
	return roc ? decrypt_at(c, roc + 1, ssrc, p, data, len) : -EACCES;
}

/* @param before Its counters may go on; NULL: they do not */
static int unprotect(struct srtp_context *c, const struct srtp_context *before,
		     struct srtp_plain *out, const uint8_t *data, size_t len,
		     bool rtcp)
{
	const size_t trailer = c->key.mki_len +
		(rtcp ? rtcp_tag(c->key.suite) + SRTCP_INDEX
		      : rtp_tag(c->key.suite));
	struct srtp_plain p;

	if (len > sizeof(p.data))
		return -EMSGSIZE;
	if (rtcp ? !is_srtcp(data, len, trailer) : !is_srtp(data, len, trailer))
		return -EBADMSG;

	struct rd r = rd_of(data + (rtcp ? 4 : 8), 4);
	const uint32_t ssrc = rd_u32(&r);
	int err = decrypt(c, &p, data, len, rtcp);
	if (err == -EACCES && before)
		err = probe(c, before, ssrc, &p, data, len);
	if (err)
		return err;
	remember(c, ssrc);
	memcpy(out->data, p.data, p.len);
	out->len = p.len;
	return 0;
}

static int take_plain(struct srtp_plain *out, const uint8_t *data, size_t len)
{
	if (len > sizeof(out->data))
		return -EMSGSIZE;
	memcpy(out->data, data, len);
	out->len = len;
	return 0;
}

int srtp_in_set(struct srtp_in *s, const struct srtp_key *key)
{
	struct srtp_context c = { 0 };
	int err;

	if (srtp_key_equal(key, &s->now.key))
		return 0;
	err = key->suite ? context_new(&c, key, ssrc_any_inbound) : 0;
	if (err)
		return err;
	if (s->now.packets || !s->before.ctx) {
		context_clear(&s->before);
		s->before = s->now;
	} else { /* one that never spoke */
		context_clear(&s->now);
	}
	s->now = c;
	return 0;
}

void srtp_in_clear(struct srtp_in *s)
{
	context_clear(&s->now);
	context_clear(&s->before);
}

int srtp_in_rtp(struct srtp_in *s, struct srtp_plain *out, const uint8_t *data,
		size_t len)
{
	int err = -EACCES;

	if (s->now.ctx) {
		err = unprotect(&s->now, &s->before, out, data, len, false);
		if (!err && s->now.packets < UINT8_MAX)
			s->now.packets++;
		if (!err && s->now.packets > OVERTAKEN && s->before.ctx)
			context_clear(&s->before);
	}
	if (err && s->before.ctx &&
	    !unprotect(&s->before, NULL, out, data, len, false))
		return 0;
	if (s->now.ctx)
		return err;
	context_clear(&s->before);
	return take_plain(out, data, len);
}

int srtp_in_rtcp(struct srtp_in *s, struct srtp_plain *out, const uint8_t *data,
		 size_t len)
{
	int err = -EACCES;

	if (s->now.ctx)
		err = unprotect(&s->now, NULL, out, data, len, true);
	if (err && s->before.ctx &&
	    !unprotect(&s->before, NULL, out, data, len, true))
		return 0;
	return s->now.ctx ? err : take_plain(out, data, len);
}

/* -- sending ---------------------------------------------------------------- */

int srtp_out_set(struct srtp_out *s, const struct srtp_key *key)
{
	struct srtp_context c = { 0 };
	int err;

	if (srtp_key_equal(key, &s->now.key))
		return 0;
	err = key->suite ? context_new(&c, key, ssrc_any_outbound) : 0;
	if (err)
		return err;
	context_clear(&s->now);
	s->now = c;
	return 0;
}

void srtp_out_clear(struct srtp_out *s)
{
	context_clear(&s->now);
}

int srtp_out_rtcp(struct srtp_out *s, uint8_t *data, size_t len)
{
	int n = (int)len;

	if (!s->now.ctx)
		return n;
	if (srtp_protect_rtcp(s->now.ctx, data, &n) != srtp_err_status_ok)
		return -EINVAL;
	return n;
}
