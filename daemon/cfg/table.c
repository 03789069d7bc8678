/** @file table.c  The one table of sections and keys */
#include "daemon/cfg/table.h"

#include <string.h>

#include "daemon/base/array.h"
#include "daemon/cfg/config.h"

enum {
	SOCKET_PATH_MAX = 107, /* sun_path (unix(7)) less its NUL */
	PATH_BYTES = 4095,
	TEXT_BYTES = 1024,
	PARAM_BYTES = 65536,
	HOST_BYTES = 253,      /* RFC 1035 section 2.3.4 */
	NUMBER_BYTES = 32,     /* E.164 has 15 digits; SIP user parts more */
};

#define MEMBER(type, m) .at = offsetof(struct type, m),                        \
			.size = sizeof(((struct type *)0)->m)
#define KIB 1024ull
#define GIB (KIB * KIB * KIB)
#define SECOND 1000ull
#define DAY (24 * 3600 * SECOND)

const struct config_section config_sections[] = {
	{ "events", HOME_CONFIG, false, false, false,
	  offsetof(struct config, events.given),
	  "The socket that carries the transcripts." },
	{ "control", HOME_CONFIG, false, false, false,
	  offsetof(struct config, control.given),
	  "The operator's socket." },
	{ "journal", HOME_CONFIG, false, false, false,
	  offsetof(struct config, journal.given),
	  "What a subscriber that was away can still get." },
	{ "http", HOME_CONFIG, false, false, false,
	  offsetof(struct config, http.given),
	  "Metrics, health and a page to watch, over HTTP.  It reads only." },
	{ "sip", HOME_CONFIG, false, false, false,
	  offsetof(struct config, sip.given),
	  "Calls from a SIP trunk or a session border controller." },
	{ "siprec", HOME_CONFIG, false, false, false,
	  offsetof(struct config, siprec.given),
	  "Recording sessions: who of the parties is the caller, and what of "
	  "the metadata is published." },
	{ "rtp", HOME_CONFIG, false, false, false,
	  offsetof(struct config, rtp.given),
	  "Where the audio of live calls arrives." },
	{ "audiosocket", HOME_CONFIG, false, false, false,
	  offsetof(struct config, audiosocket.given),
	  "Asterisk's AudioSocket: one TCP connection for each leg." },
	{ "websocket", HOME_CONFIG, false, false, false,
	  offsetof(struct config, websocket.given),
	  "FreeSWITCH's mod_audio_fork and mod_audio_stream: one websocket for "
	  "each call, L16 at 8 kHz." },
	{ "oreka", HOME_CONFIG, false, false, false,
	  offsetof(struct config, oreka.given),
	  "FreeSWITCH's mod_oreka. It chooses the ports at our address: give it "
	  "one where nothing else takes UDP ports, or use capture." },
	{ "capture", HOME_CONFIG, false, false, false,
	  offsetof(struct config, capture.given),
	  "Calls seen on a network interface." },
	{ "asr", HOME_ASR, true, true, false, 0,
	  "A speech recognition service; as many as there are." },
	{ "route", HOME_ROUTE, false, true, false, 0,
	  "Which legs go to which asr; the first route that matches wins, one "
	  "without a match is the last resort." },
};
const size_t config_n_sections = ARRAY_LEN(config_sections);

const struct config_key config_keys[] = {
	{ "events", "socket", CONFIG_PATH, "/run/trunkscribe/events.sock", 1,
	  SOCKET_PATH_MAX, NULL, true, false, MEMBER(config, events.socket),
	  NULL, "Path of the UNIX socket." },
	{ "events", "mode", CONFIG_MODE, "0660", 0, 0777, NULL, true, false,
	  MEMBER(config, events.mode), NULL,
	  "Who may connect, as a file's access." },
	{ "events", "group", CONFIG_TEXT, "trunkscribe", 0, 64, NULL, true,
	  false, MEMBER(config, events.group), NULL,
	  "Group the socket belongs to; \"\": the daemon's own." },
	{ "events", "dtmf", CONFIG_BOOL, "no", 0, 0, NULL, false, false,
	  MEMBER(config, dtmf), NULL,
	  "Publish the digits that callers press (they may be card numbers)." },
	{ "events", "redact", CONFIG_CHOICE, "none", 1, 0, "none pan", true,
	  false, MEMBER(config, redact), NULL,
	  "pan: card numbers in the transcript, written or spoken in English, "
	  "are masked before anybody gets them."  },

	{ "control", "socket", CONFIG_PATH, "/run/trunkscribe/control.sock", 1,
	  SOCKET_PATH_MAX, NULL, true, false, MEMBER(config, control.socket),
	  NULL, "Path of the UNIX socket." },
	{ "control", "mode", CONFIG_MODE, "0660", 0, 0777, NULL, true, false,
	  MEMBER(config, control.mode), NULL,
	  "Who may connect, as a file's access." },
	{ "control", "drain-timeout", CONFIG_DURATION, "30s", 0, DAY, NULL,
	  false, false, MEMBER(config, control.drain_timeout_ms), NULL,
	  "At SIGTERM calls may go on for so long; \"0s\": they are ended at "
	  "once.  A second SIGTERM does not wait." },

	{ "journal", "directory", CONFIG_PATH, "/var/lib/trunkscribe/journal",
	  0, PATH_BYTES, NULL, true, false, MEMBER(config, journal.directory),
	  NULL, "Where it is kept; \"\": in memory only." },
	{ "journal", "size", CONFIG_SIZE, "256M", KIB * KIB, 1024 * GIB, NULL,
	  true, false, MEMBER(config, journal.size), NULL,
	  "Older events go when it is larger." },
	{ "journal", "age", CONFIG_DURATION, "24h", SECOND, 3660 * DAY, NULL,
	  true, false, MEMBER(config, journal.age_ms), NULL,
	  "Events go when they are older." },
	{ "journal", "text", CONFIG_BOOL, "yes", 0, 0, NULL, true, false,
	  MEMBER(config, journal.text), NULL,
	  "Keep what was said on disk; \"no\": in memory only (16 MiB), and who "
	  "resumes behind that gets segments with their times, but text \"\" "
	  "and text_omitted." },

	{ "http", "listen", CONFIG_SOCKET, "127.0.0.1:9480", 1, HOST_BYTES, NULL,
	  true, false, MEMBER(config, http.listen), NULL,
	  "Address and port.  Whoever reaches them may read." },
	{ "http", "transcripts", CONFIG_BOOL, "no", 0, 0, NULL, true, false,
	  MEMBER(config, http.transcripts), NULL,
	  "Show on the page what is said." },

	{ "sip", "listen", CONFIG_LISTEN, "", 1, HOST_BYTES, "udp tcp tls",
	  true, false, MEMBER(config, sip.listen),
	  "{\"udp:127.0.0.1:5090\", \"tcp:127.0.0.1:5090\"}",
	  "Transport, address and port of each socket." },
	{ "sip", "permit", CONFIG_NETWORKS, "", 1, HOST_BYTES, NULL, true,
	  false, MEMBER(config, sip.permit), "{\"127.0.0.0/8\"}",
	  "Networks that may call; {}: this machine only." },
	{ "sip", "max-calls", CONFIG_NUMBER, "1000", 1, 1000000, NULL, true,
	  false, MEMBER(config, sip.max_calls), NULL,
	  "More than these are answered with 503." },
	{ "sip", "max-call-duration", CONFIG_DURATION, "4h", SECOND, 30 * DAY,
	  NULL, true, false, MEMBER(config, sip.max_call_duration_ms), NULL,
	  "A call that lasts longer is ended (BYE)." },
	{ "sip", "media-timeout", CONFIG_DURATION, "", SECOND, 30 * DAY, NULL,
	  true, false, MEMBER(config, sip.media_timeout_ms), "\"5m\"",
	  "A call without a packet for so long, and not on hold, is ended "
	  "(BYE); \"\": silence ends none." },
	{ "sip", "refuse-without-asr", CONFIG_BOOL, "yes", 0, 0, NULL, true,
	  false, MEMBER(config, sip.refuse_without_asr), NULL,
	  "Answer 503 when every asr that the routes can choose has been down "
	  "for longer than what is kept of a call's audio (30 s)." },
	{ "sip", "headers", CONFIG_LIST, "", 1, 64, NULL, true, false,
	  MEMBER(config, sip.headers), "{\"X-Genesys-CallUUID\"}",
	  "Headers of the INVITE that call.start shows under ids, besides "
	  "Session-ID." },
	{ "sip", "tls-cert-file", CONFIG_PATH, "", 0, PATH_BYTES, NULL, true,
	  false, MEMBER(config, sip.tls_cert_file), NULL,
	  "Certificate chain of the tls: sockets, PEM." },
	{ "sip", "tls-key-file", CONFIG_PATH, "", 0, PATH_BYTES, NULL, true,
	  false, MEMBER(config, sip.tls_key_file), NULL, "Its key, PEM." },

	{ "siprec", "agent", CONFIG_LIST, "", 1, TEXT_BYTES, NULL, true, false,
	  MEMBER(config, siprec.agent), "{\"2???@*\", \"*@desk.example\"}",
	  "Addresses of record of agents, without sip:; * and ? stand for "
	  "others.  These two lists come before what the metadata says." },
	{ "siprec", "caller", CONFIG_LIST, "", 1, TEXT_BYTES, NULL, true, false,
	  MEMBER(config, siprec.caller), "{\"*@trunk.example\"}",
	  "Addresses of record of callers, likewise." },
	{ "siprec", "internal", CONFIG_LIST, "", 1, HOST_BYTES, NULL, true,
	  false, MEMBER(config, siprec.internal),
	  "{\"pbx.example\", \"+4930\"}",
	  "Own domains and beginnings of own numbers: where the metadata does "
	  "not say who calls, theirs are agents." },
	{ "siprec", "swap", CONFIG_BOOL, "no", 0, 0, NULL, true, false,
	  MEMBER(config, siprec.swap), NULL,
	  "Where only the order of parties or labels is known, the first is "
	  "the agent." },
	{ "siprec", "extensions", CONFIG_LIST, "", 1, 64, NULL, true, false,
	  MEMBER(config, siprec.extensions), "{\"ucid\", \"gcid\"}",
	  "Elements of the metadata's extensions that go into ids; none given: "
	  "ucid, gcid, callid, callsid, extTrackingID." },

	{ "rtp", "address", CONFIG_ADDRESS, "127.0.0.1", 1, HOST_BYTES, NULL, true,
	  false, MEMBER(config, rtp.address), NULL, "Address of this machine that is announced." },
	{ "rtp", "ports", CONFIG_PORTS, "24000-27999", 1, 11, NULL, true, false,
	  MEMBER(config, rtp.ports), NULL, "First and last UDP port." },
	{ "rtp", "source", CONFIG_CHOICE, "sdp", 1, 0, "sdp learn", true,
	  false, MEMBER(config, rtp.source), NULL,
	  "Believe the announced address only, or learn it from the audio." },
	{ "rtp", "timeout", CONFIG_DURATION, "60s", SECOND, 30 * DAY, NULL,
	  true, false, MEMBER(config, rtp.timeout_ms), NULL,
	  "A leg of the control socket without a packet for so long is ended." },
	{ "rtp", "receive", CONFIG_CHOICE, "sockets", 1, 0, "sockets ring",
	  true, true, 0, 0, NULL,
	  "One socket per leg, or one packet ring for all." },

	{ "audiosocket", "listen", CONFIG_LISTEN, "", 1, HOST_BYTES, "tcp",
	  true, false, MEMBER(config, audiosocket.listen),
	  "{\"tcp:127.0.0.1:9092\"}",
	  "Address and port of each socket; none: as shown." },
	{ "audiosocket", "permit", CONFIG_NETWORKS, "", 1, HOST_BYTES, NULL,
	  true, false, MEMBER(config, audiosocket.permit),
	  "{\"127.0.0.0/8\", \"::1\"}",
	  "Networks that may connect; none: as shown." },
	{ "audiosocket", "max-connections", CONFIG_NUMBER, "1000", 1, 100000,
	  NULL, true, false, MEMBER(config, audiosocket.max_connections),
	  NULL, "More than these are closed at once." },

	{ "websocket", "listen", CONFIG_LISTEN, "", 1, HOST_BYTES, "tcp tls",
	  true, false, MEMBER(config, websocket.listen),
	  "{\"tcp:127.0.0.1:9093\"}",
	  "Transport, address and port of each socket (tls: wss://); none: as "
	  "shown." },
	{ "websocket", "path", CONFIG_TEXT, "", 0, TEXT_BYTES, NULL, true,
	  false, MEMBER(config, websocket.path), "\"/fork\"",
	  "Of the URL; others are answered with 404; \"\": any." },
	{ "websocket", "permit", CONFIG_NETWORKS, "", 1, HOST_BYTES, NULL,
	  true, false, MEMBER(config, websocket.permit),
	  "{\"127.0.0.0/8\", \"::1\"}",
	  "Networks that may connect; none: as shown." },
	{ "websocket", "auth-file", CONFIG_PATH, "", 0, PATH_BYTES, NULL, true,
	  false, MEMBER(config, websocket.auth_file),
	  "\"/etc/trunkscribe/websocket.login\"",
	  "File that holds user:password (Basic) or a token (Bearer) that "
	  "clients must show, one line, no access for group or others; \"\": "
	  "nothing is asked for." },
	{ "websocket", "tls-cert-file", CONFIG_PATH, "", 0, PATH_BYTES, NULL,
	  true, false, MEMBER(config, websocket.tls_cert_file),
	  "\"/etc/trunkscribe/websocket.crt\"",
	  "Certificate and its chain, PEM; for tls: sockets." },
	{ "websocket", "tls-key-file", CONFIG_PATH, "", 0, PATH_BYTES, NULL,
	  true, false, MEMBER(config, websocket.tls_key_file),
	  "\"/etc/trunkscribe/websocket.key\"",
	  "Its private key, PEM." },
	{ "websocket", "mix", CONFIG_CHOICE, "mono", 1, 0, "mono mixed stereo",
	  true, false, MEMBER(config, websocket.mix), NULL,
	  "The mix that FreeSWITCH was told, where the metadata does not say "
	  "it (mixType)." },
	{ "websocket", "stereo", CONFIG_CHOICE, "caller-agent", 1, 0,
	  "caller-agent agent-caller", true, false,
	  MEMBER(config, websocket.stereo), NULL,
	  "Who speaks on the first channel and on the second; the first is "
	  "what the channel's own party says." },
	{ "websocket", "send-transcripts", CONFIG_BOOL, "no", 0, 0, NULL, true,
	  false, MEMBER(config, websocket.send_transcripts), NULL,
	  "Send final segments back as {\"type\":\"transcription\"}: "
	  "FreeSWITCH makes events of them." },
	{ "websocket", "max-connections", CONFIG_NUMBER, "1000", 1, 100000,
	  NULL, true, false, MEMBER(config, websocket.max_connections), NULL,
	  "More than these are closed at once." },

	{ "oreka", "listen", CONFIG_LISTEN, "", 1, HOST_BYTES, "udp", true,
	  false, MEMBER(config, oreka.listen), "{\"udp:192.0.2.10:5060\"}",
	  "What sip-server-addr and sip-server-port of oreka.conf say; must be "
	  "given." },
	{ "oreka", "permit", CONFIG_NETWORKS, "", 1, HOST_BYTES, NULL, true,
	  false, MEMBER(config, oreka.permit), "{\"192.0.2.20\"}",
	  "Networks that may announce calls; none: this machine only." },
	{ "oreka", "party", CONFIG_CHOICE, "caller", 1, 0, "caller agent", true,
	  false, MEMBER(config, oreka.party), NULL,
	  "Who the party of a channel that is recorded is: RX is what it says, "
	  "TX what it hears." },
	{ "oreka", "mixed", CONFIG_BOOL, "no", 0, 0, NULL, true, false,
	  MEMBER(config, oreka.mixed), NULL,
	  "mux-all-streams is set there: both parties come in one stream." },
	{ "oreka", "max-calls", CONFIG_NUMBER, "1000", 1, 100000, NULL, true,
	  false, MEMBER(config, oreka.max_calls), NULL,
	  "More than these are not heard." },

	{ "capture", "interface", CONFIG_TEXT, "", 0, 15, NULL, true, false,
	  MEMBER(config, capture.interface), "\"eth0\"",
	  "Network interface; \"any\": all of them." },
	{ "capture", "filter", CONFIG_TEXT, "", 0, TEXT_BYTES, NULL, true,
	  false, MEMBER(config, capture.filter), NULL,
	  "pcap-filter(7) expression; \"\": every packet is looked at.  It "
	  "is about calls: what comes in tunnels, fragments or behind tags is "
	  "judged unwrapped." },

	{ "asr", "vendor", CONFIG_CHOICE, "", 0, 0,
	  "bodhi camb fireworks smallest deepgram vosk", false, false,
	  MEMBER(config_asr, vendor), "\"bodhi\"",
	  "The protocol it speaks; must be given." },
	{ "asr", "url", CONFIG_URL, "", 0, TEXT_BYTES, NULL, false, false,
	  MEMBER(config_asr, url), "\"wss://stt.navana.ai\"",
	  "Its address; \"\": the vendor's own.  ws:// is refused off the "
	  "loopback interface unless insecure = yes." },
	{ "asr", "api-key-file", CONFIG_PATH, "", 0, PATH_BYTES, NULL, false,
	  false, MEMBER(config_asr, api_key_file),
	  "\"/etc/trunkscribe/main.key\"",
	  "File that holds the key, one line, no access for group or others; "
	  "\"\": no key." },
	{ "asr", "customer-id", CONFIG_TEXT, "", 0, 256, NULL, false, false,
	  MEMBER(config_asr, customer_id), NULL,
	  "Asked for by bodhi's older host." },
	{ "asr", "model", CONFIG_TEXT, "", 0, 256, NULL, false, false,
	  MEMBER(config_asr, model), "\"hi-banking-v2-8khz\"",
	  "By the vendor's own name; \"\": the vendor's default." },
	{ "asr", "language", CONFIG_TEXT, "", 0, 64, NULL, false, false,
	  MEMBER(config_asr, language), NULL,
	  "By the vendor's own name; \"\": the vendor's default." },
	{ "asr", "encoding", CONFIG_CHOICE, "", 0, 0, "pcm mulaw alaw", false,
	  false, MEMBER(config_asr, encoding), NULL,
	  "Audio as it goes to the service; \"\": what suits the vendor." },
	{ "asr", "chunk", CONFIG_DURATION, "", 10, 5 * SECOND, NULL, false,
	  false, MEMBER(config_asr, chunk_ms), "\"100ms\"",
	  "Audio in one message; \"\": the vendor's own." },
	{ "asr", "params", CONFIG_PARAMS, "", 0, PARAM_BYTES, NULL, false,
	  false, MEMBER(config_asr, params),
	  "{\"parse_number=true\", 'hotwords=[{\"phrase\":\"EMI\"}]'}",
	  "Further parameters by the vendor's own names; JSON values are sent "
	  "as JSON, and \"name=\" takes back what would be sent otherwise.  Two "
	  "names are not the vendor's: auth_prefix=Bearer (fireworks, "
	  "deepgram) and send_config=false (vosk's C++ server)." },
	{ "asr", "tls-ca-file", CONFIG_PATH, "", 0, PATH_BYTES, NULL, false,
	  false, MEMBER(config_asr, tls_ca_file), NULL,
	  "Certificates to trust, PEM; \"\": the system's CA bundle." },
	{ "asr", "tls-server-name", CONFIG_TEXT, "", 0, HOST_BYTES, NULL, false,
	  false, MEMBER(config_asr, tls_server_name), NULL,
	  "Name its certificate must be for; \"\": the host of url.  Where that "
	  "is an address, mbedTLS 2.28 (Debian 12) needs a name here." },
	{ "asr", "tls-pin-sha256", CONFIG_PIN, "", 0, 64, NULL, false, false,
	  MEMBER(config_asr, tls_pin_sha256), NULL,
	  "SHA-256 of its certificate's key (SPKI), 64 hex digits, checked "
	  "besides everything else; \"\": any that a trusted CA stands behind." },
	{ "asr", "proxy", CONFIG_PROXY, "", 0, TEXT_BYTES, NULL, false, false,
	  MEMBER(config_asr, proxy), "\"http://proxy.example:3128\"",
	  "HTTP proxy to go through (CONNECT); \"\": none." },
	{ "asr", "proxy-auth-file", CONFIG_PATH, "", 0, PATH_BYTES, NULL, false,
	  false, MEMBER(config_asr, proxy_auth_file),
	  "\"/etc/trunkscribe/proxy.login\"",
	  "File that holds user:password for the proxy, one line, no access "
	  "for group or others; \"\": no login." },
	{ "asr", "session-max", CONFIG_DURATION, "", 10 * SECOND, DAY, NULL,
	  false, false, MEMBER(config_asr, session_max_ms), "\"1h\"",
	  "The service ends a session after so long: the next one is opened "
	  "30 s before; \"\": no limit is known." },
	{ "asr", "connects-per-second", CONFIG_NUMBER, "50", 1, 10000, NULL,
	  false, false, MEMBER(config_asr, connects_per_second), NULL,
	  "New connections at most, over all calls." },
	{ "asr", "fallback", CONFIG_TEXT, "", 0, 64, NULL, false, false,
	  MEMBER(config_asr, fallback), NULL,
	  "Another asr's name, for when this one does not answer." },
	{ "asr", "insecure", CONFIG_BOOL, "no", 0, 0, NULL, false, false,
	  MEMBER(config_asr, insecure), NULL,
	  "Send audio and key unencrypted over a network (url = \"ws://...\")." },

	{ "route", "asr", CONFIG_TEXT, "", 0, 64, NULL, false, false,
	  MEMBER(config_route, asr), "\"main\"",
	  "An asr's name, or \"none\": decode only; must be given." },
	{ "route", "source", CONFIG_CHOICE, "", 0, 0,
	  "sip siprec rtp audiosocket websocket oreka capture replay", false,
	  false, MEMBER(config_route, source), NULL,
	  "Only calls that came in this way; \"\": any." },
	{ "route", "trunk", CONFIG_TEXT, "", 0, 64, NULL, false, false,
	  MEMBER(config_route, trunk), "\"192.0.2.0/24\"",
	  "Only calls that this address or network sent; \"\": any." },
	{ "route", "called", CONFIG_TEXT, "", 0, NUMBER_BYTES, NULL, false,
	  false, MEMBER(config_route, called), NULL,
	  "Only called numbers that begin so; \"\": any." },
	{ "route", "calling", CONFIG_TEXT, "", 0, NUMBER_BYTES, NULL, false,
	  false, MEMBER(config_route, calling), NULL,
	  "Only calling numbers that begin so; \"\": any." },
	{ "route", "header", CONFIG_TEXT, "", 0, 256, NULL, false, false,
	  MEMBER(config_route, header), "\"X-Queue: sales\"",
	  "Only calls with this header, or with this value in it, among those "
	  "that were taken along (all of the call's ids); \"\": any." },
	{ "route", "language", CONFIG_TEXT, "", 0, 64, NULL, false, false,
	  MEMBER(config_route, language), "\"en\"",
	  "Only legs announced in this language, with any region; \"\": any." },
	{ "route", "role", CONFIG_CHOICE, "", 0, 0,
	  "caller agent mixed unknown", false, false,
	  MEMBER(config_route, role), NULL,
	  "Only the leg of this party; \"\": any." },
};
const size_t config_n_keys = ARRAY_LEN(config_keys);

const struct config_section *config_section_find(const char *name)
{
	for (size_t i = 0; i < config_n_sections; i++)
		if (!strcmp(config_sections[i].name, name))
			return &config_sections[i];
	return NULL;
}

const struct config_key *config_key_find(const char *section, const char *name)
{
	for (size_t i = 0; i < config_n_keys; i++)
		if (!strcmp(config_keys[i].section, section) &&
		    !strcmp(config_keys[i].name, name))
			return &config_keys[i];
	return NULL;
}

bool config_is_list(enum config_type type)
{
	return type == CONFIG_LIST || type == CONFIG_LISTEN ||
	       type == CONFIG_NETWORKS;
}

const char *config_type_help(enum config_type type)
{
	static const char *const help[] = {
		[CONFIG_TEXT] = "a text",
		[CONFIG_PATH] = "a path",
		[CONFIG_URL] = "\"wss://host[:port][/path]\"",
		[CONFIG_PROXY] = "\"http://host:port\"",
		[CONFIG_PIN] = "64 hex digits",
		[CONFIG_ADDRESS] = "an IP address of this machine, such as "
				   "\"192.0.2.1\"",
		[CONFIG_SOCKET] = "an IP address of this machine and a port, "
				  "such as \"127.0.0.1:9480\" or "
				  "\"[::1]:9480\"",
		[CONFIG_PORTS] = "the first and the last UDP port, such as "
				 "\"24000-27999\"; a pair must fit",
		[CONFIG_CHOICE] = "one of the listed words",
		[CONFIG_BOOL] = "yes or no",
		[CONFIG_NUMBER] = "a number",
		[CONFIG_MODE] = "an octal number, such as 0660",
		[CONFIG_SIZE] = "a number with its unit, such as \"256M\" "
				"(K, M, G)",
		[CONFIG_DURATION] = "a number with its unit, such as "
				    "\"250ms\" (ms, s, m, h, d)",
		[CONFIG_LIST] = "a list, {\"one\", \"two\"}",
		[CONFIG_PARAMS] = "a list of {\"name=value\", \"name=value\"}",
		[CONFIG_LISTEN] = "transport, address and port, such as "
				  "\"tcp:127.0.0.1:9092\" or "
				  "\"tcp:[::1]:9092\"",
		[CONFIG_NETWORKS] = "an address or a range of them, such as "
				    "\"192.0.2.1\" or \"192.0.2.0/24\" (no "
				    "bits behind the prefix)",
	};

	return help[type];
}
