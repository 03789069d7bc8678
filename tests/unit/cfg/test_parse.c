/** @file test_parse.c  daemon/cfg/parse.c: files, their values, their errors */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/cfg/config.h"
#include "daemon/cfg/load.h"

/* Parsed from an exact heap block, so that overreads are seen. */
static int parse(struct config **out, const char *text, size_t len,
		 struct buf *errors)
{
	char *block = malloc(len ? len : 1);

	assert_non_null(block);
	memcpy(block, text, len);
	const int err = config_parse(out, "t", block, len, errors);

	free(block);
	return err;
}

static struct config *good(const char *text)
{
	struct config *c = NULL;
	struct buf errors = {0};
	const int err = parse(&c, text, strlen(text), &errors);

	if (err)
		print_message("%s", buf_str(&errors));
	assert_int_equal(err, 0);
	assert_int_equal(errors.len, 0);
	buf_free(&errors);
	return c;
}

#define ASR "asr \"m\" { vendor = \"bodhi\" }\n"

static const struct {
	const char *name, *text;
	const char *want; /* all the errors; what differs is cut with "..." */
} bad[] = {
	/* syntax and unknown names: the first only */
	{ "unknown section", "\nsipp { }\nfoo {}",
	  "t:2: unknown section sipp; did you mean sip?\n" },
	{ "unknown section, none near", "telephone { }",
	  "t:1: unknown section telephone; known are: events control journal "
	  "http sip siprec rtp audiosocket websocket oreka capture asr route\n" },
	{ "unknown key", "events {\n  sokcet = \"x\" bar = 1\n}",
	  "t:2: unknown key sokcet in events; did you mean socket?\n" },
	{ "unknown key, none near", "control { colour = \"x\" }",
	  "t:1: unknown key colour in control; known are: socket mode drain-timeout\n" },
	{ "key of an asr", "asr \"a\" {\n\n\n api-key = \"secret\" }",
	  "t:4: unknown key api-key in asr; known are: ..." },
	{ "include", "include(\"/etc/passwd\")", "t:1: a character ..." },
	{ "include, no call", "include = \"/etc/passwd\"",
	  "t:1: unknown section include; all must be in one file\n" },
	{ "no value", "events { socket }",
	  "t:1: key socket has no = and value behind it; write them\n" },
	{ "no brace", "events socket",
	  "t:1: section events needs its keys in { }; ..." },
	{ "brace missing", "events {\n mode = 0660\n", "t:3: the file "
	  "ends inside a section, the one of line 1; is a } missing before?\n" },
	{ "brace missing before the next", "events {\n\nroute { asr = none }",
	  "t:3: a section begins inside the one of line 1; is a } ..." },
	{ "brace too many", "events {\n}\n}", "t:3: this } closes nothing; ..." },
	{ "title missing", "asr { }", "t:1: section asr needs a name; ..." },
	{ "title twice", ASR ASR,
	  "t:2: \"m\" is the name of an earlier section; ..." },
	{ "append to a text", "events { socket += \"x\" }",
	  "t:1: key socket is no list; write = for +=\n" },
	{ "nested list", "asr \"a\" { params = {{\"x=1\"}} }", "t:1: { is not "
	  "expected here; ..." },
	{ "after a comment", "# one\n// two\n/* three\n*/ # four\nfoo {}",
	  "t:5: unknown section foo; ..." },
	{ "unclosed quote swallows lines", "events {\n socket = \"x\n mode = "
	  "0660\n group = \"y\"\n}", "t:2: the string that begins here is never "
	  "closed; a quote is missing\n" },
	{ "two unclosed quotes", "events {\n socket = \"x\n mode = \"0660\n\n"
	  " group = \"y\"\n dtmf = \"no\"\n}", "t:3: events: socket: line breaks and tabs "
	  "cannot be in it; is a closing quote missing?\n"
	  "t:3: unknown key 0660 in events; known are: socket mode group "
	  "dtmf redact\n" },
	{ "unclosed quote in a list", "asr \"a\" {\n params = {\"a=1\n, "
	  "\"b=2\", \"c=3\"}\n}", "t:2: the string that begins here is never "
	  "closed; a quote is missing\n" },
	{ "and an even number of quotes", "asr \"a\" {\n params = {\"a=1\n, "
	  "\"b=2, \"c=3\"}\n}", "t:3: b is not expected here; ..." },
	{ "control characters in a name", "asr \"a\\nb\" { vendor = bodhi }",
	  "t:1: asr \"a?b\": a name has ..." },
	/* from the scan */
	{ "quote never closed", "events {\n socket = \"x }\n\n",
	  "t:2: the string that begins here ..." },
	{ "key twice", "events {\n mode = 0660\n mode = 0600\n}",
	  "t:3: mode is given a second time, the first was in line 2; remove "
	  "one\n" },
	/* wrong values: all of them */
	{ "every wrong value is told",
	  "events {\n mode = 0999\n dtmf = maybe\n}\njournal {\n size = 5K\n"
	  " age = \"24\"\n}\n",
	  "t:2: events: mode = \"0999\": write an octal number, such as 0660\n"
	  "t:3: events: dtmf = \"maybe\": write yes or no\n"
	  "t:6: journal: size = \"5K\": write a value from 1M to 1024G\n"
	  "t:7: journal: age = \"24\": write a number with its unit, such as "
	  "\"250ms\" (ms, s, m, h, d)\n" },
	{ "too large for any number", "journal { size = 99999999999999999999G }",
	  "t:1: journal: size = \"99999999999999999999G\": write a value from "
	  "1M to 1024G\n" },
	{ "mode", "control { mode = 1777 }", "t:1: control: mode = \"1777\": "
	  "write a value from 0000 to 0777\n" },
	{ "empty path", "events { socket = \"\" }",
	  "t:1: events: socket: it must not be empty\n" },
	{ "path of 108 bytes", "events { socket = \"/2345678901234567890123456789"
	  "0123456789012345678901234567890123456789012345678901234567890123456"
	  "789012345678\" }", "t:1: events: socket: at most 107 ..." },
	{ "line break in a value", "events {\n socket = \"/x\n\"\n}",
	  "t:3: events: socket: line breaks and tabs cannot be in it; ..." },
	{ "vendor unknown", "asr \"a\" { vendor = \"acme\" }",
	  "t:1: asr \"a\": vendor = \"acme\": write one of: bodhi camb "
	  "fireworks smallest deepgram vosk\n"
	  "t:1: asr \"a\" has no vendor; ..." },
	{ "vendor missing", "\nasr \"a\"\n{\n}\n", "t:2: asr \"a\" has no "
	  "vendor; write vendor = one of: bodhi ..." },
	{ "chunk", "asr \"m\" { vendor = bodhi chunk = \"100\" }",
	  "t:1: asr \"m\": chunk = \"100\": write a number with its unit, ..." },
	{ "chunk too long", "asr \"m\" { vendor = bodhi chunk = \"1h\" }",
	  "t:1: asr \"m\": chunk = \"1h\": write a value from 10ms to 5s\n" },
	{ "param without =", "asr \"m\" { vendor = bodhi params = {\"a=1\",\n"
	  "\"b\", \"=2\", \"c d=3\"} }",
	  "t:2: asr \"m\": params: write \"name=value\"; a name has letters, "
	  "digits, _ . and - only\n"
	  "t:2: asr \"m\": params: write ...\n"
	  "t:2: asr \"m\": params: write ...\n" },
	{ "url", "asr \"m\" { vendor = bodhi url = \"https://x\" }",
	  "t:1: asr \"m\": url: write \"wss://host[:port][/path]\"\n" },
	{ "password in a url is not repeated",
	  "asr \"m\" { vendor = bodhi url = \"wss://u:hidden@x/\" }",
	  "t:1: asr \"m\": url: no user, password or @ can be in it; keys go "
	  "into api-key-file\n" },
	{ "unquoted url", "asr \"m\" { vendor = bodhi url = wss://x }",
	  "t:1: // and /* begin a comment; put the value into quotes\n" },
	{ "ws:// over the network",
	  "asr \"m\" {\n vendor = bodhi\n url = \"ws://10.0.0.1/x\"\n}",
	  "t:1: asr \"m\": url ws://10.0.0.1/x would send audio and key "
	  "unencrypted over the network; ..." },
	{ "fallback", "asr \"m\" { vendor = bodhi fallback = \"b\" }",
	  "t:1: asr \"m\": fallback \"b\" is no asr of this file; ..." },
	{ "asr called none", "asr \"none\" { vendor = bodhi }",
	  "t:1: asr \"none\": a name has 1 to 64 letters, ..." },
	{ "name with a blank", "asr \"a b\" { vendor = bodhi }",
	  "t:1: asr \"a b\": a name has ..." },
	{ "route to nowhere", ASR "route { asr = \"x\" }",
	  "t:2: route: asr \"x\" is not in this file; ..." },
	{ "role", ASR "route { asr = m role = bot }", "t:2: route: role = "
	  "\"bot\": write one of: caller agent mixed unknown\n" },
	{ "section twice", "events { }\nevents { }",
	  "t:2: section events is given twice; put its keys into one\n" },
	/* known, nothing serves them yet */
	{ "later keys", "http { listen = \"127.0.0.1:9480\" }\n"
	  "sip { listen = {\"udp:127.0.0.1:5090\", \"tcp:127.0.0.1:5090\"}\n"
	  " permit = {\"127.0.0.0/8\"} max-calls = 1000 }\n"
	  "rtp { receive = ring }\n",
	  "t:4: rtp: receive = \"ring\": not built yet; remove it\n" },
	{ "http without a port", "http { listen = \"127.0.0.1\" }", "t:1: http: "
	  "listen = \"127.0.0.1\": write an IP address of this machine and a "
	  "port, such as \"127.0.0.1:9480\" or \"[::1]:9480\"\n" },
	{ "http by name", "http { listen = \"localhost:9480\" }", "t:1: http: "
	  "listen = \"localhost:9480\": write an IP address ..." },
	{ "sip, and wrong", "sip { listen = {\"udp:127.0.0.1:5060\"} "
	  "max-calls = -1 }", "t:1: sip: max-calls = \"-1\": write a "
	  "number\n" },
	{ "sip without a socket", "sip { max-calls = 2 }", "t:1: sip: nothing to "
	  "listen on; add listen = {\"udp:ADDRESS:5060\"}\n" },
	{ "sip over TLS without a certificate", "sip { listen = "
	  "{\"tls:127.0.0.1:5061\"} tls-key-file = \"/k\" }", "t:1: sip: a "
	  "tls: socket needs tls-cert-file and tls-key-file; add them\n" },
	{ "proxy without a port", "asr \"m\" { vendor = bodhi "
	  "proxy = \"http://p\" }",
	  "t:1: asr \"m\": proxy: write \"http://host:port\"\n" },
	{ "a proxy's password", "asr \"m\" { vendor = bodhi "
	  "proxy = \"http://u:w@p:1\" }",
	  "t:1: asr \"m\": proxy: no user, password or @ can be in it; they go "
	  "into proxy-auth-file\n" },
	{ "a pin too short", "asr \"m\" { vendor = bodhi "
	  "tls-pin-sha256 = \"abc\" }",
	  "t:1: asr \"m\": tls-pin-sha256 = \"abc\": write the SHA-256 of the "
	  "key as 64 hex digits\n" },
	{ "trunk", ASR "route { asr = m trunk = \"x\" }",
	  "t:2: route: trunk: write an address or a network, such as "
	  "\"192.0.2.0/24\", with no bits set behind its prefix\n" },
};

/* `want` with "..." for the rest of a line. */
static bool matches(const char *got, const char *want)
{
	while (*want) {
		if (!strncmp(want, "...", 3)) {
			const char *nl = strchr(got, '\n');

			if (!nl)
				return false;
			got = nl + (want[3] == '\0');
			want += 3;
		} else if (*want++ != *got++) {
			return false;
		}
	}
	return *got == '\0';
}

static void test_errors_say_where_what_and_what_to_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct config *c = (struct config *)&bad;
		struct buf errors = {0};
		const int err = parse(&c, bad[i].text, strlen(bad[i].text),
				      &errors);

		if (err != -EINVAL || !matches(buf_str(&errors), bad[i].want))
			fail_msg("row \"%s\": %d\n%s-- wanted:\n%s",
				 bad[i].name, err, buf_str(&errors),
				 bad[i].want);
		assert_ptr_equal(c, &bad);        /* untouched */
		buf_free(&errors);
	}
}

static void test_an_empty_file_holds_the_defaults(void **state)
{
	static const char *const texts[] = { "", "\n", "#", "#\n", "/**/",
					     "\xef\xbb\xbf# x\r\n", "//" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct config *c = good(texts[i]);

		assert_string_equal(c->file, "t");
		assert_false(c->events.given);
		assert_string_equal(c->events.socket,
				    "/run/trunkscribe/events.sock");
		assert_int_equal(c->events.mode, 0660);
		assert_string_equal(c->events.group, "trunkscribe");
		assert_string_equal(c->control.socket,
				    "/run/trunkscribe/control.sock");
		assert_string_equal(c->journal.directory,
				    "/var/lib/trunkscribe/journal");
		assert_int_equal(c->journal.size, 256 * 1024 * 1024);
		assert_int_equal(c->journal.age_ms, 24 * 3600 * 1000);
		assert_int_equal(c->n_asrs, 0);
		assert_int_equal(c->n_routes, 0);
		config_free(c);
	}
}

/* The page of INTERFACES, less what nothing serves yet. */
static const char page[] =
	"events  { socket = \"/run/e.sock\"  mode = 0600  group = \"\" }\n"
	"control { socket = \"/run/c.sock\" mode = 0660 }\r\n"
	"journal { directory = \"\"  size = \"16M\"  age = \"90m\" }  # x\n"
	"asr \"main\" {\n"
	"  vendor = \"bodhi\"                      # bodhi | camb\n"
	"  url = \"wss://stt.navana.ai\"           # each has a default\n"
	"  api-key-file = \"/etc/trunkscribe/main.key\"\n"
	"  customer-id = \"\"                      /* older host */\n"
	"  model = \"hi-banking-v2-8khz\"\n"
	"  language = \"\"\n"
	"  chunk = \"100ms\"\n"
	"  params = {\"parse_number=true\", "
	"'hotwords=[{\"phrase\":\"EMI\"}]',\n"
	"    'multi={\n\"a\":\t1}', \"e=\"}\n"
	"  params += {\"late=1\"}\n"
	"  tls-ca-file = \"\"\n"
	"  proxy = \"http://p:3128\" proxy-auth-file = \"/p\"\n"
	"  fallback = \"local\"\n"
	"}\n"
	"\n"
	"asr 'local' { vendor = bodhi url = \"ws://localhost:2700/x\" "
	"encoding = pcm }\n"
	"asr \"lan\" { vendor = bodhi url = \"ws://10.1.1.1\" "
	"insecure = yes tls-server-name = \"n\" }\n"
	"route { asr = \"none\" source = \"siprec\" called = \"+49\" "
	"calling = \"0\" role = \"agent\" }\n"
	"route\n{ asr = \"main\" }\n"
	"capture { interface = \"eth0\" filter = \"udp\" }\n";

static void test_values_arrive_as_written(void **state)
{
	struct config *c = good(page);
	const struct config_asr *a = config_asr(c, "main");

	(void)state;
	assert_true(c->events.given && c->control.given && c->journal.given);
	assert_string_equal(c->events.socket, "/run/e.sock");
	assert_int_equal(c->events.mode, 0600);
	assert_string_equal(c->events.group, "");
	assert_string_equal(c->control.socket, "/run/c.sock");
	assert_string_equal(c->journal.directory, "");
	assert_int_equal(c->journal.size, 16 << 20);
	assert_int_equal(c->journal.age_ms, 5400000);
	assert_false(c->dtmf);
	assert_int_equal(c->n_asrs, 3);
	assert_non_null(a);
	assert_int_equal(a->line, 4);
	assert_string_equal(a->vendor, "bodhi");
	assert_string_equal(a->proxy, "http://p:3128");
	assert_string_equal(a->proxy_auth_file, "/p");
	assert_string_equal(a->url, "wss://stt.navana.ai");
	assert_string_equal(a->api_key_file, "/etc/trunkscribe/main.key");
	assert_string_equal(a->model, "hi-banking-v2-8khz");
	assert_string_equal(a->encoding, "");
	assert_int_equal(a->chunk_ms, 100);
	assert_string_equal(a->fallback, "local");
	assert_false(a->insecure);
	assert_int_equal(a->n_params, 5);
	assert_string_equal(a->params[0].name, "parse_number");
	assert_string_equal(a->params[0].value, "true");
	assert_string_equal(a->params[1].name, "hotwords");
	assert_string_equal(a->params[1].value, "[{\"phrase\":\"EMI\"}]");
	assert_string_equal(a->params[2].value, "{\n\"a\":\t1}");
	assert_string_equal(a->params[3].value, "");
	assert_string_equal(a->params[4].name, "late");

	a = config_asr(c, "local");
	assert_non_null(a);
	assert_int_equal(a->line, 21);
	assert_int_equal(a->chunk_ms, 0);
	assert_string_equal(a->encoding, "pcm");
	a = config_asr(c, "lan");
	assert_non_null(a);
	assert_true(a->insecure);
	assert_string_equal(a->tls_server_name, "n");
	assert_null(config_asr(c, "other"));

	assert_int_equal(c->n_routes, 2);
	assert_string_equal(c->routes[0].asr, "none");
	assert_string_equal(c->routes[0].source, "siprec");
	assert_string_equal(c->routes[0].called, "+49");
	assert_string_equal(c->routes[0].calling, "0");
	assert_string_equal(c->routes[0].role, "agent");
	assert_int_equal(c->routes[1].line, 24);
	assert_true(c->capture.given);
	assert_string_equal(c->capture.interface, "eth0");
	assert_string_equal(c->capture.filter, "udp");
	config_free(c);
}

/* Cut off anywhere, the page is refused or whole; never a crash, and a good
 * parse after a bad one is not disturbed (libconfuse's lexer is global). */
static void test_a_cut_off_file_leaves_no_trace(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(page) - 1; len += 3) {
		struct config *c = NULL;
		struct buf errors = {0};

		if (!parse(&c, page, len, &errors))
			config_free(c);
		else
			assert_true(errors.len > 0);
		buf_free(&errors);
		config_free(good(ASR));
	}
}

static void test_limits(void **state)
{
	struct buf text = {0}, errors = {0};
	struct config *c = NULL;

	(void)state;
	for (unsigned i = 0; i <= CONFIG_ASRS_MAX; i++)
		buf_printf(&text, "asr \"a%u\" { vendor = bodhi }\n", i);
	assert_int_equal(parse(&c, buf_str(&text), text.len, &errors), -EINVAL);
	assert_non_null(strstr(buf_str(&errors), "t:257: more than 256 asr"));

	buf_clear(&text);
	buf_clear(&errors);
	for (unsigned i = 0; i <= CONFIG_ROUTES_MAX; i++)
		buf_puts(&text, "route { asr = none role = agent }\n");
	assert_int_equal(parse(&c, buf_str(&text), text.len, &errors), -EINVAL);
	assert_non_null(strstr(buf_str(&errors), "t:1025: more than 1024"));

	buf_clear(&text);
	buf_clear(&errors);
	for (unsigned i = 0; i < 200; i++)
		buf_puts(&text, "route { role = bot }\n");
	assert_int_equal(parse(&c, buf_str(&text), text.len, &errors), -EINVAL);
	assert_non_null(strstr(buf_str(&errors), "and more; correct these"));
	assert_true(errors.len < 10000);

	buf_clear(&text);
	buf_clear(&errors);
	while (text.len <= CONFIG_FILE_MAX)
		buf_puts(&text, "#######################################\n");
	assert_int_equal(parse(&c, buf_str(&text), text.len, &errors), -EINVAL);
	assert_string_equal(buf_str(&errors),
			    "t:1: more than 256 KiB; is this the right "
			    "file?\n");

	buf_clear(&errors);
	assert_int_equal(parse(&c, "a\0b", 3, &errors), -EINVAL);
	assert_string_equal(buf_str(&errors), "t:1: has a NUL byte; is this a "
					      "text file?\n");
	buf_free(&text);
	buf_free(&errors);
}

static void test_files_that_cannot_be_read(void **state)
{
	struct buf errors = {0};
	struct config *c = NULL;

	(void)state;
	assert_int_equal(config_load(&c, "/nonexistent/x.conf", &errors),
			 -ENOENT);
	assert_string_equal(buf_str(&errors), "/nonexistent/x.conf: cannot "
			    "be read: No such file or directory; check the "
			    "path (option -c) and its access\n");
	buf_clear(&errors);
	assert_int_equal(config_load(&c, "/", &errors), -EINVAL);
	assert_true(errors.len > 0);
	buf_free(&errors);

	char path[] = "/tmp/test_parse.XXXXXX";
	const int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, ASR, strlen(ASR)), (ssize_t)strlen(ASR));
	close(fd);
	assert_int_equal(config_load(&c, path, &errors), 0);
	assert_string_equal(c->file, path);
	assert_int_equal(c->n_asrs, 1);
	config_free(c);
	unlink(path);
}

static void test_the_environment_stays_outside(void **state)
{
	struct buf errors = {0};
	struct config *c = NULL;
	static const char text[] = "asr \"m\" { vendor = bodhi\nmodel = "
				   "\"${HOME}\" }";

	(void)state;
	assert_int_equal(parse(&c, text, strlen(text), &errors), -EINVAL);
	assert_non_null(strstr(buf_str(&errors), "t:2: ${...} is not "
			       "replaced here; put the text into single"));
	buf_free(&errors);
	c = good("asr \"m\" { vendor = bodhi model = '${HOME}' }");
	assert_string_equal(c->asrs[0].model, "${HOME}");
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_say_where_what_and_what_to_do),
		cmocka_unit_test(test_an_empty_file_holds_the_defaults),
		cmocka_unit_test(test_values_arrive_as_written),
		cmocka_unit_test(test_a_cut_off_file_leaves_no_trace),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_files_that_cannot_be_read),
		cmocka_unit_test(test_the_environment_stays_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
