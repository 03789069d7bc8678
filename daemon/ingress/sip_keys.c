/** @file sip_keys.c  The keys of one m-line of a SIP call */
#include "daemon/ingress/sip_keys.h"

#include <string.h>

#include "daemon/net/random.h"

void sip_keys_offered(const char *out[SDP_MEDIA_MAX], const struct sdp *offer)
{
	for (size_t i = 0; i < SDP_MEDIA_MAX; i++)
		out[i] = i < offer->n_media && offer->media[i].n_crypto ? ""
									: NULL;
}

void sip_keys_answer(struct sip_keys *k, const struct sdp_media *m)
{
	const struct sdes *chosen = &m->crypto[0];
	uint8_t random[SRTP_KEY_BYTES];

	if (k->tag == chosen->tag && srtp_key_equal(&k->theirs, &chosen->key))
		return;
	k->theirs = chosen->key;
	k->tag = chosen->tag;
	random_bytes(random, sizeof(random));
	sdes_answer(k->text, &k->ours, chosen, random);
	explicit_bzero(random, sizeof(random));
}

void sip_keys_agreed(struct sip_keys *k, const struct sdp_media *m)
{
	k->theirs = m->crypto[0].key;
}

void sip_keys_clear(struct sip_keys *k)
{
	explicit_bzero(k, sizeof(*k));
}

void sip_keys_remote(struct rtp_remote *out, const struct sip_keys *k)
{
	out->key = k->theirs;
	out->our_key = k->ours;
}
