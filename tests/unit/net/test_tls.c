/** @file test_tls.c  Which peers TLS takes, and bytes through it */
#include <errno.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>

#include "tests/unit/net/pki.h"

/* -- certificates: our client, our server --------------------------------- */

struct row {
	const char *name;
	const char *server;   /* its certificate */
	const char *host;     /* the name the client wants */
	const char *refused;  /* NULL: taken; else words of the reason */
};

/* reference: reliability 1.6, the matrix measured with mbedTLS's defaults;
 * where it differs here, our rules are stricter (CN) or righter (IP).  Servers
 * that mbedTLS cannot play (TLS 1.3 only, a certificate for clients) are
 * played by OpenSSL in tests/flow/test_websocket_interop.py. */
static const struct row rows[] = {
	{ "good chain", "good", "asr.test", NULL },
	{ "chain with its intermediate", "chained", "asr.test", NULL },
	{ "name in capitals", "good", "ASR.Test", NULL },
	{ "fully qualified name", "good", "asr.test.", NULL },
	{ "RSA 2048", "rsa2048", "asr.test", NULL },
	{ "for servers only", "server_only", "asr.test", NULL },
	{ "wildcard, one label", "wildcard", "a.asr.test", NULL },
	{ "wildcard, two labels", "wildcard", "a.b.asr.test", "another name" },
	{ "wildcard, no label", "wildcard", "asr.test", "another name" },
	{ "wrong host", "other", "asr.test", "another name" },
	{ "CN fits, SAN does not", "cn_differs", "asr.test", "another name" },
	{ "name in the CN only", "cn_only", "asr.test", "subjectAltName" },
	{ "untrusted root", "untrusted", "asr.test", "no trusted CA" },
	{ "self-signed", "selfsigned", "asr.test", "no trusted CA" },
	{ "missing intermediate", "missing", "asr.test", "no trusted CA" },
	{ "issuer is no CA", "under_notca", "asr.test", "no trusted CA" },
	{ "expired", "expired", "asr.test", "expired" },
	{ "not yet valid", "future", "asr.test", "not yet valid" },
	{ "SHA-1 signature", "sha1", "asr.test", "SHA-1" },
	{ "RSA 1024", "rsa1024", "asr.test", "too short" },
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	{ "address in the SAN", "ip", "127.0.0.1", NULL },
	{ "IPv6 address in the SAN", "ip", "::1", NULL },
	{ "IPv6 address, written long", "ip", "0:0:0:0:0:0:0:1", NULL },
	{ "another address", "ip", "127.0.0.2", "another name" },
	{ "address as a DNS name", "ip_as_dns", "127.0.0.1", "another name" },
	{ "address wanted, name there", "good", "127.0.0.1", "another name" },
#else
	/* it cannot compare them: none is taken */
	{ "address in the SAN", "ip", "127.0.0.1", "set tls-server-name" },
	{ "IPv6 address in the SAN", "ip", "::1", "set tls-server-name" },
	{ "another address", "ip", "127.0.0.2", "set tls-server-name" },
	{ "address as a DNS name", "ip_as_dns", "127.0.0.1",
	  "set tls-server-name" },
	{ "address wanted, name there", "good", "127.0.0.1",
	  "set tls-server-name" },
	{ "address, and no trust", "untrusted", "127.0.0.1", "no trusted CA" },
#endif
	{ "address in the CN", "ip_in_cn", "127.0.0.1", "subjectAltName" },
	{ "a name of it, for the address", "ip_and_name", "asr.test", NULL },
};

/* Move `n` bytes at a time until both are done, or one refuses. */
static int shake(struct tls_session *client, struct tls_session *server,
		 size_t n, struct reason *why)
{
	struct buf up = {0}, down = {0};
	struct reason other = {0};
	int c = 0, s = 0;

	for (int turn = 0; turn < 20000 && (c == 0 || s == 0); turn++) {
		if (c == 0)
			c = tls_handshake(client, &up, why);
		const size_t k = up.len < n ? up.len : n;

		assert_int_equal(tls_feed(server, up.data, k), 0);
		buf_shift(&up, k);
		if (s == 0)
			s = tls_handshake(server, &down, &other);
		const size_t m = down.len < n ? down.len : n;

		assert_int_equal(tls_feed(client, down.data, m), 0);
		buf_shift(&down, m);
		if (c < 0)
			break;
	}
	buf_free(&up);
	buf_free(&down);
	return c;
}

static void test_matrix_of_certificates(void **state)
{
	struct tls_context *trust = pki_client("root");
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct tls_context *own = pki_server(r->server);
		struct tls_session *c, *s;
		struct reason why = {0};

		assert_int_equal(tls_session_new(&c, trust, r->host), 0);
		assert_int_equal(tls_session_new(&s, own, NULL), 0);

		const int got = shake(c, s, SIZE_MAX, &why);

		if (r->refused ? got >= 0 || why.class != REASON_TLS ||
					 !strstr(why.text, r->refused)
			       : got != 1) {
			print_error("%s: %d %s\n", r->name, got, why.text);
			wrong++;
		}
		tls_session_free(c);
		tls_session_free(s);
		tls_context_free(own);
	}
	tls_context_free(trust);
	assert_int_equal(wrong, 0);
}

/* The digest by OpenSSL, of the SPKI in DER. */
static void spki_sha256(char hex[65], const char *name)
{
	char command[512];
	FILE *f;

	snprintf(command, sizeof(command), "openssl x509 -in %s -noout -pubkey | "
		 "openssl pkey -pubin -outform DER | sha256sum",
		 pki_file(name, "pem"));
	f = popen(command, "r");
	assert_non_null(f);
	assert_int_equal(fread(hex, 1, 64, f), 64);
	hex[64] = '\0';
	pclose(f);
}

static void test_a_pinned_key(void **state)
{
	static const struct {
		const char *pin_of, *server, *refused;
	} pins[] = {
		{ "good", "good", NULL },
		{ "chained", "chained", NULL },  /* the leaf's, not its CA's */
		{ "middle", "chained", "tls-pin-sha256" },
		{ "root", "good", "tls-pin-sha256" },
		{ "rsa2048", "good", "tls-pin-sha256" },
		/* besides the rest, never instead of it */
		{ "untrusted", "untrusted", "no trusted CA" },
		{ "expired", "expired", "expired" },
		{ "other", "other", "another name" },
		{ "cn_only", "cn_only", "subjectAltName" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++) {
		struct tls_context *trust = pki_client("root");
		struct tls_context *own = pki_server(pins[i].server);
		char hex[65];

		spki_sha256(hex, pins[i].pin_of);
		if (i % 2)
			for (char *c = hex; *c; c++)
				*c = (char)(*c >= 'a' ? *c - 'a' + 'A' : *c);
		assert_int_equal(tls_context_pin(trust, hex), 0);
		for (unsigned again = 0; again < 2; again++) { /* resumed */
			struct tls_session *c, *s;
			struct reason why = {0};

			assert_int_equal(tls_session_new(&c, trust, "asr.test"),
					 0);
			assert_int_equal(tls_session_new(&s, own, NULL), 0);
			const int got = shake(c, s, SIZE_MAX, &why);

			if (pins[i].refused
				    ? got >= 0 || why.class != REASON_TLS ||
					      !strstr(why.text, pins[i].refused)
				    : got != 1)
				fail_msg("%s at %s: %d %s", pins[i].pin_of,
					 pins[i].server, got, why.text);
			tls_session_free(c);
			tls_session_free(s);
		}
		tls_context_free(trust);
		tls_context_free(own);
	}
}

static void test_what_is_no_pin(void **state)
{
	static const char good[] = "00112233445566778899aAbBcCdDeEfF"
				   "00112233445566778899aabbccddeeff";
	struct tls_context *trust = pki_client("root");
	char text[70];

	(void)state;
	assert_int_equal(tls_context_pin(trust, good), 0);
	assert_int_equal(tls_context_pin(trust, ""), -EINVAL);
	assert_int_equal(tls_context_pin(trust, good + 1), -EINVAL);
	snprintf(text, sizeof(text), "%s0", good);
	assert_int_equal(tls_context_pin(trust, text), -EINVAL);
	for (int c = 1; c < 256; c++) {
		const bool hex = c < 128 && strchr("0123456789abcdefABCDEF", c);

		memcpy(text, good, sizeof(good));
		text[c % 64] = (char)c;
		assert_int_equal(tls_context_pin(trust, text),
				 hex ? 0 : -EINVAL);
	}
	tls_context_free(trust);
}

static void test_no_name_no_session(void **state)
{
	struct tls_context *trust = pki_client("root");
	struct tls_session *s = NULL;

	(void)state;
	assert_int_equal(tls_session_new(&s, trust, NULL), -EINVAL);
	assert_int_equal(tls_session_new(&s, trust, ""), -EINVAL);
	assert_int_equal(tls_session_new(&s, trust, "."), -EINVAL);
	assert_null(s);
	tls_context_free(trust);
}

/* CVE-2025-27809: whoever sets up a session elsewhere may forget the name. */
static void test_sessions_are_set_up_in_one_place(void **state)
{
	char line[256] = "";
	FILE *f = popen("grep -rl mbedtls_ssl_setup --include='*.[ch]' "
			"daemon tools codecs 2>/dev/null", "r");

	(void)state;
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_string_equal(line, "daemon/net/tls.c\n");
	assert_null(fgets(line, sizeof(line), f));
	pclose(f);
}

/* -- servers that know only old things ------------------------------------ */

struct old {
	mbedtls_ssl_config conf;
	mbedtls_ssl_context ssl;
	mbedtls_x509_crt cert;
	mbedtls_pk_context key;
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context drbg;
	struct buf in, out;
};

static int old_send(void *arg, const unsigned char *data, size_t len)
{
	buf_add(&((struct old *)arg)->out, data, len);
	return (int)len;
}

static int old_recv(void *arg, unsigned char *out, size_t len)
{
	struct old *o = arg;
	const size_t n = len < o->in.len ? len : o->in.len;

	if (n == 0)
		return MBEDTLS_ERR_SSL_WANT_READ;
	memcpy(out, o->in.data, n);
	buf_shift(&o->in, n);
	return (int)n;
}

struct old_row {
	const char *name;
	const char *server;
	int suite;      /* 0: what it likes */
	int minor;      /* highest version: 2 is TLS 1.1, 3 is TLS 1.2 */
	bool taken;
};

static const struct old_row old_rows[] = {
	{ "the frame itself works", "good", 0, 3, true },
	{ "ECDHE with AES-GCM", "good",
	  MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 3, true },
	{ "TLS 1.1 only", "good", 0, 2, false },
	{ "ECDHE with CBC and SHA-1", "good",
	  MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, 3, false },
	{ "ECDHE with CBC and SHA-256", "good",
	  MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, 3, false },
	{ "RSA key exchange with CBC", "rsa2048",
	  MBEDTLS_TLS_RSA_WITH_AES_128_CBC_SHA, 3, false },
	{ "RSA key exchange with GCM", "rsa2048",
	  MBEDTLS_TLS_RSA_WITH_AES_128_GCM_SHA256, 3, false },
	{ "finite-field DHE", "rsa2048",
	  MBEDTLS_TLS_DHE_RSA_WITH_AES_128_GCM_SHA256, 3, false },
	{ "AEAD with a cut tag", "good",
	  MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, 3, false },
};

static void old_open(struct old *o, const struct old_row *r)
{
	static int suites[2];

	memset(o, 0, sizeof(*o));
	mbedtls_ssl_config_init(&o->conf);
	mbedtls_ssl_init(&o->ssl);
	mbedtls_x509_crt_init(&o->cert);
	mbedtls_pk_init(&o->key);
	mbedtls_entropy_init(&o->entropy);
	mbedtls_ctr_drbg_init(&o->drbg);
	assert_int_equal(mbedtls_ctr_drbg_seed(&o->drbg, mbedtls_entropy_func,
					       &o->entropy, NULL, 0), 0);
	assert_int_equal(mbedtls_ssl_config_defaults(
				 &o->conf, MBEDTLS_SSL_IS_SERVER,
				 MBEDTLS_SSL_TRANSPORT_STREAM,
				 MBEDTLS_SSL_PRESET_DEFAULT), 0);
	mbedtls_ssl_conf_rng(&o->conf, mbedtls_ctr_drbg_random, &o->drbg);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
	mbedtls_ssl_conf_max_tls_version(&o->conf, MBEDTLS_SSL_VERSION_TLS1_2);
	assert_int_equal(mbedtls_pk_parse_keyfile(
				 &o->key, pki_file(r->server, "key"), NULL,
				 mbedtls_ctr_drbg_random, &o->drbg), 0);
#else
	mbedtls_ssl_conf_min_version(&o->conf, MBEDTLS_SSL_MAJOR_VERSION_3, 1);
	mbedtls_ssl_conf_max_version(&o->conf, MBEDTLS_SSL_MAJOR_VERSION_3,
				     r->minor);
	assert_int_equal(mbedtls_pk_parse_keyfile(
				 &o->key, pki_file(r->server, "key"), NULL), 0);
#endif
	assert_int_equal(mbedtls_x509_crt_parse_file(
				 &o->cert, pki_file(r->server, "pem")), 0);
	assert_int_equal(mbedtls_ssl_conf_own_cert(&o->conf, &o->cert, &o->key),
			 0);
	suites[0] = r->suite;
	if (r->suite)
		mbedtls_ssl_conf_ciphersuites(&o->conf, suites);
	assert_int_equal(mbedtls_ssl_setup(&o->ssl, &o->conf), 0);
	mbedtls_ssl_set_bio(&o->ssl, o, old_send, old_recv, NULL);
}

static void old_close(struct old *o)
{
	mbedtls_ssl_free(&o->ssl);
	mbedtls_ssl_config_free(&o->conf);
	mbedtls_x509_crt_free(&o->cert);
	mbedtls_pk_free(&o->key);
	mbedtls_ctr_drbg_free(&o->drbg);
	mbedtls_entropy_free(&o->entropy);
	buf_free(&o->in);
	buf_free(&o->out);
}

static void test_old_ciphers_and_versions_are_refused(void **state)
{
	struct tls_context *trust = pki_client("root");
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(old_rows) / sizeof(old_rows[0]); i++) {
		const struct old_row *r = &old_rows[i];
		struct tls_session *c;
		struct reason why = {0};
		struct old o;
		int got = 0;

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
		if (r->minor < 3)
			continue; /* the library has no TLS 1.1 any more */
#endif
		old_open(&o, r);
		assert_int_equal(tls_session_new(&c, trust, "asr.test"), 0);
		for (int turn = 0; turn < 50 && got == 0; turn++) {
			got = tls_handshake(c, &o.in, &why);
			mbedtls_ssl_handshake(&o.ssl);
			assert_int_equal(tls_feed(c, o.out.data, o.out.len), 0);
			buf_clear(&o.out);
		}
		if (r->taken ? got != 1 : got >= 0 || why.class != REASON_TLS) {
			print_error("%s: %d %s\n", r->name, got, why.text);
			wrong++;
		}
		tls_session_free(c);
		old_close(&o);
	}
	tls_context_free(trust);
	assert_int_equal(wrong, 0);
}

/* -- bytes ---------------------------------------------------------------- */

struct both {
	struct tls_context *trust, *own;
	struct tls_session *c, *s;
};

static void both_open(struct both *b, const char *host)
{
	assert_int_equal(tls_session_new(&b->c, b->trust, host), 0);
	assert_int_equal(tls_session_new(&b->s, b->own, NULL), 0);
}

static void both_free(struct both *b)
{
	tls_session_free(b->c);
	tls_session_free(b->s);
}

static void test_bytes_come_through_whole_and_in_pieces(void **state)
{
	static const size_t sizes[] = { 1, 160, 1600, 16383, 16384, 16385,
					100000 };
	struct both b = { pki_client("root"), pki_server("chained"), NULL,
			  NULL };
	struct reason why = {0};
	struct tls_facts facts;

	(void)state;
	both_open(&b, "asr.test");
	assert_int_equal(shake(b.c, b.s, 1, &why), 1);
	tls_facts(b.c, &facts);
	assert_string_equal(facts.version, "TLSv1.2");
	assert_non_null(strstr(facts.cipher, "CHACHA20-POLY1305"));
	assert_false(facts.resumed);
	assert_true(facts.not_after_s > 1700000000);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *data = malloc(sizes[i]);
		struct buf wire = {0}, plain = {0}, out = {0};

		for (size_t k = 0; k < sizes[i]; k++)
			data[k] = (uint8_t)(k * 7 + k / 255);
		assert_int_equal(tls_write(b.c, data, sizes[i], &wire), 0);
		for (size_t at = 0, n; at < wire.len; at += n) {
			n = wire.len < 2000 ? 1 : 1461;
			if (n > wire.len - at)
				n = wire.len - at;
			assert_int_equal(tls_feed(b.s, wire.data + at, n), 0);
			assert_int_equal(tls_read(b.s, &plain, &out), 0);
		}
		assert_int_equal(plain.len, sizes[i]);
		assert_memory_equal(plain.data, data, sizes[i]);
		assert_int_equal(out.len, 0);
		buf_free(&wire);
		buf_free(&plain);
		free(data);
	}
	both_free(&b);
	tls_context_free(b.trust);
	tls_context_free(b.own);
}

static void test_goodbye_and_damage_are_told_apart(void **state)
{
	struct both b = { pki_client("root"), pki_server("good"), NULL, NULL };
	struct buf wire = {0}, plain = {0}, out = {0};
	struct reason why = {0};

	(void)state;
	both_open(&b, "asr.test");
	assert_int_equal(shake(b.c, b.s, SIZE_MAX, &why), 1);
	assert_int_equal(tls_write(b.s, (const uint8_t *)"last", 4, &wire), 0);
	tls_goodbye(b.s, &wire);
	assert_int_equal(tls_feed(b.c, wire.data, wire.len), 0);
	assert_int_equal(tls_read(b.c, &plain, &out), 1);
	assert_int_equal(plain.len, 4);
	buf_clear(&wire);
	assert_int_equal(tls_write(b.c, (const uint8_t *)"damage", 6, &wire), 0);
	wire.data[wire.len - 1] ^= 1;
	buf_clear(&plain);
	assert_int_equal(tls_feed(b.s, wire.data, wire.len), 0);
	assert_int_equal(tls_read(b.s, &plain, &out), -EBADMSG);
	assert_int_equal(plain.len, 0);
	buf_free(&wire);
	buf_free(&plain);
	buf_free(&out);
	both_free(&b);
	tls_context_free(b.trust);
	tls_context_free(b.own);
}

static void test_the_peer_may_speak_no_tls(void **state)
{
	static const char http[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	struct tls_context *trust = pki_client("root");
	struct buf out = {0};
	struct reason why = {0};
	struct tls_session *c;

	(void)state;
	assert_int_equal(tls_session_new(&c, trust, "asr.test"), 0);
	assert_int_equal(tls_handshake(c, &out, &why), 0);
	tls_feed(c, (const uint8_t *)http, sizeof(http) - 1);
	assert_true(tls_handshake(c, &out, &why) < 0);
	assert_non_null(strstr(why.text, "does not speak TLS"));
	buf_free(&out);
	tls_session_free(c);
	tls_context_free(trust);
}

/* -- resumption ----------------------------------------------------------- */

static bool resumed(struct both *b, const char *host)
{
	struct reason why = {0};
	struct tls_facts facts;

	both_open(b, host);
	if (shake(b->c, b->s, SIZE_MAX, &why) != 1)
		fail_msg("%s: %s", host, why.text);
	tls_facts(b->c, &facts);
	assert_true(facts.not_after_s > 1700000000);
	both_free(b);
	return facts.resumed;
}

static void test_the_second_session_is_resumed(void **state)
{
	struct both b = { pki_client("root"), pki_server("wildcard"), NULL,
			  NULL };
	struct both other = { pki_client("root"), b.own, NULL, NULL };
	struct both restarted = { b.trust, pki_server("wildcard"), NULL, NULL };

	(void)state;
	assert_false(resumed(&b, "a.asr.test"));
	assert_true(resumed(&b, "a.asr.test"));
	assert_true(resumed(&b, "a.asr.test"));
	assert_false(resumed(&b, "b.asr.test"));     /* another host */
	assert_false(resumed(&other, "a.asr.test")); /* another trust */
	assert_false(resumed(&restarted, "a.asr.test")); /* a new ticket key */
	assert_true(resumed(&restarted, "a.asr.test"));
	tls_context_free(b.trust);
	tls_context_free(b.own);
	tls_context_free(other.trust);
	tls_context_free(restarted.own);
}

static void test_a_resumed_host_that_changes_is_checked_again(void **state)
{
	struct both b = { pki_client("root"), pki_server("good"), NULL, NULL };
	struct reason why = {0};
	struct tls_session *s;

	(void)state;
	assert_false(resumed(&b, "asr.test"));
	tls_context_free(b.own);
	b.own = pki_server("other");
	both_open(&b, "asr.test");
	assert_true(shake(b.c, b.s, SIZE_MAX, &why) < 0);
	assert_non_null(strstr(why.text, "another name"));
	/* a session keeps what it needs */
	tls_context_free(b.trust);
	tls_context_free(b.own);
	s = b.c;
	b.c = NULL;
	both_free(&b);
	tls_session_free(s);
}

/* -- contexts ------------------------------------------------------------- */

static void test_unusable_files_are_named(void **state)
{
	struct tls_context *c = NULL;
	struct reason why = {0};

	(void)state;
	assert_int_not_equal(tls_client_context(&c, "/nowhere.pem", &why), 0);
	assert_non_null(strstr(why.text, "/nowhere.pem"));
	assert_int_not_equal(tls_client_context(&c, pki_file("good", "key"),
						&why), 0);
	assert_non_null(strstr(why.text, "good.key"));
	assert_int_not_equal(tls_client_context(&c, "/dev/null", &why), 0);
	assert_int_not_equal(tls_server_context(&c, pki_file("good", "pem"),
						"/nowhere.key", &why), 0);
	assert_non_null(strstr(why.text, "/nowhere.key"));
	assert_null(c);
}

static void test_the_systems_ca_bundle_is_trusted_by_default(void **state)
{
	struct both b = { NULL, pki_server("good"), NULL, NULL };
	struct reason why = {0};

	(void)state;
	if (tls_client_context(&b.trust, NULL, &why)) {
		/* a machine without ca-certificates: it says what to do */
		assert_non_null(strstr(why.text, "ca-certificates"));
	} else {
		both_open(&b, "asr.test");
		assert_true(shake(b.c, b.s, SIZE_MAX, &why) < 0);
		assert_non_null(strstr(why.text, "no trusted CA"));
		both_free(&b);
	}
	tls_context_free(b.trust);
	tls_context_free(b.own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matrix_of_certificates),
		cmocka_unit_test(test_a_pinned_key),
		cmocka_unit_test(test_what_is_no_pin),
		cmocka_unit_test(test_no_name_no_session),
		cmocka_unit_test(test_sessions_are_set_up_in_one_place),
		cmocka_unit_test(test_old_ciphers_and_versions_are_refused),
		cmocka_unit_test(test_bytes_come_through_whole_and_in_pieces),
		cmocka_unit_test(test_goodbye_and_damage_are_told_apart),
		cmocka_unit_test(test_the_peer_may_speak_no_tls),
		cmocka_unit_test(test_the_second_session_is_resumed),
		cmocka_unit_test(
			test_a_resumed_host_that_changes_is_checked_again),
		cmocka_unit_test(test_unusable_files_are_named),
		cmocka_unit_test(
			test_the_systems_ca_bundle_is_trusted_by_default),
	};

	return cmocka_run_group_tests(tests, pki_make, pki_remove);
}
