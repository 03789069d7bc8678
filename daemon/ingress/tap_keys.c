/** @file tap_keys.c  Encrypted media of a tap, where the keys were seen */
#include "daemon/ingress/tap_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/ingress/early.h"

enum {
	FAILED_MAX = 50,        /* packets in a row: it is another key's */
	TRIES = 8,              /* at once after each SDP, then now and then: */
	TRY_US = 20 * 1000,     /* garbage may not keep us busy */
};

struct tap_keys {
	struct srtp_in in;
	uint32_t said;          /* of the speaker, as of `tries` */
	unsigned tries;
	uint64_t tried_us;
	unsigned failed;
	struct early early;
};

static struct tap_keys *keys_of(struct tap_leg *l)
{
	if (!l->keys)
		l->keys = calloc(1, sizeof(*l->keys));
	return l->keys;
}

static bool may_try(struct tap_keys *k, const struct tap_side *s,
		    uint64_t at_us)
{
	if (k->said != s->said) {
		k->said = s->said;
		k->tries = 0;
	}
	if (k->tries >= TRIES && at_us - k->tried_us < TRY_US)
		return false;
	k->tries += k->tries < TRIES;
	k->tried_us = at_us;
	return true;
}

/* Is it one of the speaker's other keys?  Then that is in force. */
static int try_others(struct tap_keys *k, const struct tap_side *s,
		      struct srtp_plain *out, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < s->n_crypto; i++) {
		const struct srtp_key *key = &s->crypto[i];
		struct srtp_in one = { 0 };

		if (srtp_key_equal(key, &k->in.now.key) ||
		    srtp_in_set(&one, key))
			continue;
		const int err = srtp_in_rtp(&one, out, data, len);

		srtp_in_clear(&one);
		if (!err)
			return srtp_in_set(&k->in, key) ||
			       srtp_in_rtp(&k->in, out, data, len)
				       ? -EACCES : 0;
	}
	return -EACCES;
}

static int keep(struct tap_keys *k, const struct decap_packet *p,
		uint64_t at_us)
{
	const struct packet x = {
		.at_us = at_us, .from = p->from, .to = p->to, .data = p->data,
		.len = p->len, .wire_len = p->wire_len,
	};

	return early_keep(&k->early, &x) ? -ENOKEY : -EAGAIN;
}

int tap_keys_open(struct tap_leg *l, struct srtp_plain *out,
		  const struct decap_packet *p, uint64_t at_us)
{
	const struct tap_side *s = tap_side_of(l->call, l->media, l->side);
	struct tap_keys *k = keys_of(l);
	int err = -EACCES;

	if (!k || l->call->media[l->media].zrtp || p->len < p->wire_len)
		return -ENOKEY;
	if (!s->known && !k->in.now.ctx)
		return keep(k, p, at_us);
	if (!s->n_crypto && !k->in.now.ctx)
		return -ENOKEY;
	if (k->in.now.ctx)
		err = srtp_in_rtp(&k->in, out, p->data, p->len);
	if (err && err != -EALREADY && may_try(k, s, at_us))
		err = try_others(k, s, out, p->data, p->len);
	if (!err) {
		k->failed = 0;
		return 0;
	}
	k->failed += err != -EALREADY;
	return k->failed >= FAILED_MAX ? -ENOKEY : -EAGAIN;
}

void tap_keys_early(struct tap_leg *l, const struct addr *from,
		    void (*fn)(const struct packet *p, void *arg), void *arg)
{
	const struct tap_side *s = tap_side_of(l->call, l->media, l->side);

	if (l->keys && s->known && early_any(&l->keys->early))
		early_release(&l->keys->early, from, fn, arg);
}

void tap_keys_free(struct tap_keys *k)
{
	if (!k)
		return;
	srtp_in_clear(&k->in);
	early_clear(&k->early);
	free(k);
}
