/**
 * @file fuzz_srtp.c  One datagram from an encrypted media port
 *
 * The first byte: suite (3 bits), an MKI, RTCP, 0x20: sent by one who has the
 * key (libsrtp2 encrypts the rest of the input) and 0x40: one bit of that is
 * wrong, the second byte says where.
 */
#include <errno.h>
#include <string.h>

#include <srtp2/srtp.h>

#include "daemon/base/must.h"
#include "daemon/media/srtp.h"
#include "tests/fuzz/fuzz.h"

enum { MKI = 0x08, IS_RTCP = 0x10, SENT = 0x20, WRONG = 0x40 };

static struct srtp_key key_of(unsigned how)
{
	struct srtp_key k = { .suite = (uint8_t)(1 + (how & 7) % 6) };

	memset(k.key, 0x11, srtp_key_len(k.suite));
	if (how & MKI && !(how & SENT)) {
		k.mki_len = 4;
		k.mki[3] = 1;
	}
	return k;
}

/* By the sending half of the library; its bytes, or 0: it is no packet */
static size_t encrypt(uint8_t out[4096], const struct srtp_key *k, unsigned how,
		      const uint8_t *data, size_t len)
{
	struct srtp_out s = { 0 };
	int n = (int)len, err;

	must(srtp_out_set(&s, k) == 0);
	memcpy(out, data, len);
	err = how & IS_RTCP ? srtp_protect_rtcp(s.now.ctx, out, &n)
			    : srtp_protect(s.now.ctx, out, &n);
	srtp_out_clear(&s);
	return err ? 0 : (size_t)n;
}

static int receive(struct srtp_in *s, struct srtp_plain *p, unsigned how,
		   const uint8_t *data, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);

	must(exact);
	memcpy(exact, data, len);
	const int err = how & IS_RTCP ? srtp_in_rtcp(s, p, exact, len)
				      : srtp_in_rtp(s, p, exact, len);

	free(exact);
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	_Alignas(8) static uint8_t sent[4096];
	static struct srtp_plain p;
	struct srtp_in s = { 0 };

	if (len < 2 || len > 2100)
		return 0;
	const unsigned how = data[0], where = data[1];
	const struct srtp_key k = key_of(how);

	data += 2;
	len -= 2;
	must(srtp_in_set(&s, &k) == 0);
	const uint8_t *got = data;
	size_t n = len;
	if (how & SENT) {
		n = len < 12 || data[0] >> 6 != 2 || len > 1900
			    ? 0 : encrypt(sent, &k, how, data, len);
		if (n && how & WRONG)
			sent[where * 8 % n] ^= (uint8_t)(1u << where % 8);
		got = sent;
	}
	const int err = receive(&s, &p, how, got, n);

	must(err == 0 || err == -EBADMSG || err == -EMSGSIZE || err == -EACCES);
	if (n && how & SENT && !(how & WRONG)) {
		must(!err && p.len == len && !memcmp(p.data, data, len));
		must(receive(&s, &p, how, got, n) == -EALREADY);
	}
	must(err || (how & SENT && !(how & WRONG)));
	must(s.now.n_spoke == !err);
	srtp_in_clear(&s);
	fuzz_count_input(err == 0);
	return 0;
}
