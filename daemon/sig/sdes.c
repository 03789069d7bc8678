/** @file sdes.c  Keys of SRTP in an SDP: a=crypto (RFC 4568) */
#include "daemon/sig/sdes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/base/number.h"

enum {
	TAG_MAX = 999999999,
	MKI_LEN_MAX = 128,       /* RFC 4568 section 6.1 */
	BASE64_MAX = 64,         /* of a key and salt of SRTP_KEY_BYTES */
};

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* by enum srtp_suite */
static const char *const suites[SRTP_SUITES] = {
	NULL,
	"AES_CM_128_HMAC_SHA1_80",
	"AES_CM_128_HMAC_SHA1_32",
	"AES_256_CM_HMAC_SHA1_80",
	"AES_256_CM_HMAC_SHA1_32",
	"AEAD_AES_128_GCM",
	"AEAD_AES_256_GCM",
};

struct text {
	const char *p;
	size_t len;
};

/* What is in front of the first of `ends`, which is taken, too */
static struct text cut(struct text *t, const char *ends)
{
	struct text got = { t->p, 0 };

	while (got.len < t->len &&
	       !memchr(ends, t->p[got.len], strlen(ends)))
		got.len++;
	const size_t gone = got.len + (got.len < t->len);

	t->p += gone;
	t->len -= gone;
	return got;
}

static struct text word(struct text *t)
{
	struct text got;

	do
		got = cut(t, " \t");
	while (!got.len && t->len);
	return got;
}

static bool is(struct text t, const char *what)
{
	return t.len == strlen(what) && strncasecmp(t.p, what, t.len) == 0;
}

static bool begins(struct text t, const char *what)
{
	return t.len >= strlen(what) &&
	       strncasecmp(t.p, what, strlen(what)) == 0;
}

static int suite_of(uint8_t *out, struct text name)
{
	for (uint8_t i = 1; i < ARRAY_LEN(suites); i++)
		if (is(name, suites[i])) {
			*out = i;
			return 0;
		}
	return name.len ? -ENOTSUP : -EBADMSG;
}

/* -- base64 (RFC 4648 section 4) ------------------------------------------ */

static size_t base64_print(char *out, const uint8_t *data, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i += 3) {
		const size_t left = len - i;
		const uint32_t v = (uint32_t)data[i] << 16 |
			(left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
			(left > 2 ? data[i + 2] : 0);

		out[n++] = alphabet[v >> 18];
		out[n++] = alphabet[v >> 12 & 63];
		out[n++] = left > 1 ? alphabet[v >> 6 & 63] : '=';
		out[n++] = left > 2 ? alphabet[v & 63] : '=';
	}
	out[n] = '\0';
	return n;
}

/* Exactly `n` bytes; some senders leave the padding off, and RFC 4568's own
 * grammar has a key whose last digit carries bits that mean nothing */
static int base64_parse(uint8_t *out, size_t n, struct text t)
{
	const size_t digits = (n * 8 + 5) / 6;
	const size_t padded = (n + 2) / 3 * 4;
	uint32_t bits = 0;
	size_t have = 0, at = 0;

	if (t.len != digits && t.len != padded)
		return -EBADMSG;
	for (size_t i = 0; i < digits; i++) {
		const char *digit = t.p[i] ? strchr(alphabet, t.p[i]) : NULL;

		if (!digit)
			return -EBADMSG;
		bits = bits << 6 | (uint32_t)(digit - alphabet);
		have += 6;
		if (have >= 8 && at < n) {
			have -= 8;
			out[at++] = (uint8_t)(bits >> have);
		}
	}
	for (size_t i = digits; i < t.len; i++)
		if (t.p[i] != '=')
			return -EBADMSG;
	return 0;
}

/* -- the parameters of a key ------------------------------------------------ */

/* "2^31" or a number; to keep to it is the sender's business */
static int check_lifetime(struct text t)
{
	uint64_t n;

	if (begins(t, "2^")) {
		t.p += 2;
		t.len -= 2;
		return number_parse(&n, t.p, t.len, 48) ? -EBADMSG : 0;
	}
	return number_parse(&n, t.p, t.len, UINT64_MAX) ? -EBADMSG : 0;
}

/* "1:4": the number 1 in 4 bytes before or behind the tag of each packet */
static int read_mki(struct srtp_key *k, struct text t)
{
	const struct text number = cut(&t, ":");
	uint64_t value, len;
	int err = number_parse(&len, t.p, t.len, MKI_LEN_MAX);

	if (err || !len)
		return -EBADMSG;
	err = number_parse(&value, number.p, number.len, UINT64_MAX);
	if (len > SRTP_MKI_BYTES || err == -ERANGE)
		return -ENOTSUP;
	if (err || (len < 8 && value >> len * 8))
		return -EBADMSG;
	k->mki_len = (uint8_t)len;
	for (size_t i = len; i--; value >>= 8)
		k->mki[i] = (uint8_t)value;
	return 0;
}

static int read_key(struct srtp_key *k, struct text t)
{
	struct text part;

	if (memchr(t.p, ';', t.len))
		return -ENOTSUP; /* several, told apart by MKI */
	if (!begins(t, "inline:"))
		return memchr(t.p, ':', t.len) ? -ENOTSUP : -EBADMSG;
	cut(&t, ":");
	part = cut(&t, "|");
	int err = base64_parse(k->key, srtp_key_len(k->suite), part);

	if (err || !t.len)
		return err;
	part = cut(&t, "|");
	if (!memchr(part.p, ':', part.len)) {
		err = check_lifetime(part);
		if (err || !t.len)
			return err;
		part = cut(&t, "|");
	}
	err = read_mki(k, part);
	return err ? err : t.len ? -EBADMSG : 0;
}

/* RFC 4568 section 6.3.  One with a minus may be ignored; the rest would have
 * us do something else */
static int check_parameter(struct text t)
{
	uint64_t n;

	if (begins(t, "-") || is(t, "KDR=0"))
		return 0;
	if (begins(t, "WSH=")) /* the window it would like: ours is 128 */
		return number_parse(&n, t.p + 4, t.len - 4, UINT32_MAX)
			? -EBADMSG : 0;
	return -ENOTSUP;
}

int sdes_parse(struct sdes *out, const char *value, size_t len)
{
	struct text t = { value, len }, w;
	struct sdes s = { 0 };
	uint64_t tag = 0;
	int err;

	w = word(&t);
	err = number_parse(&tag, w.p, w.len, TAG_MAX);
	if (err || !tag)
		return -EBADMSG;
	s.tag = (uint32_t)tag;
	err = suite_of(&s.key.suite, word(&t));
	if (!err)
		err = read_key(&s.key, word(&t));
	while (!err && (w = word(&t)).len)
		err = check_parameter(w);
	if (!err)
		*out = s;
	explicit_bzero(&s, sizeof(s));
	return err;
}

size_t sdes_print(char out[SDES_TEXT_MAX], uint32_t tag,
		  const struct srtp_key *key)
{
	char text[BASE64_MAX + 1];

	base64_print(text, key->key, srtp_key_len(key->suite));
	const int n = snprintf(out, SDES_TEXT_MAX, "%u %s inline:%s",
			       (unsigned)tag, suites[key->suite], text);

	explicit_bzero(text, sizeof(text));
	return (size_t)n;
}

size_t sdes_answer(char out[SDES_TEXT_MAX], struct srtp_key *key,
		   const struct sdes *offered,
		   const uint8_t random[SRTP_KEY_BYTES])
{
	*key = (struct srtp_key){ .suite = offered->key.suite };
	memcpy(key->key, random, srtp_key_len(key->suite));
	return sdes_print(out, offered->tag, key);
}
