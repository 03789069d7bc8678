/** @file test_siprec.c  daemon/sig/siprec.c, siprec_xml.c, siprec_role.c */
#include "daemon/sig/siprec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"
#include "daemon/base/utf8.h"

#define X "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
#define R X "<recording xmlns=\"urn:ietf:params:xml:ns:recording:1\">\r\n"
#define E "</recording>\r\n"
#define P(id, aor) "<participant participant_id=\"" id "\"><nameID aor=\"" aor \
	"\"/></participant>\r\n"
#define S(id, label) "<stream stream_id=\"" id "\" session_id=\"s\"><label>" \
	label "</label></stream>\r\n"
#define L(who, sends, receives) "<participantstreamassoc participant_id=\"" who \
	"\"><send>" sends "</send><recv>" receives "</recv>" \
	"</participantstreamassoc>\r\n"
#define TWO P("p1", "sip:1@x") P("p2", "sip:2@x") S("a", "1") S("b", "2")

/* The dialects of telephony section 1.4.2, in our own words */
static const struct row {
	const char *name, *xml;
	const char *want;        /* as print() below writes it */
	const char *labels;      /* of the m-lines */
	const char *roles;       /* of each: role source who */
} rows[] = {
	{ "RFC 7865", R "<datamode>complete</datamode>"
	  "<group group_id=\"g\"><associate-time>2026-01-01T10:00:00Z"
	  "</associate-time></group>"
	  "<session session_id=\"s\"><sipSessionID>ab;remote=cd</sipSessionID>"
	  "<group-ref>g</group-ref><start-time>2026</start-time></session>"
	  "<participant participant_id=\"p1\"><nameID aor=\"sip:+491@x\">"
	  "<name xml:lang=\"en\">Alice &amp; Bob</name></nameID></participant>"
	  P("p2", "sip:7@x") S("a", "1") S("b", "2")
	  "<sessionrecordingassoc session_id=\"s\"><associate-time>1"
	  "</associate-time></sessionrecordingassoc>"
	  "<participantsessionassoc participant_id=\"p1\" session_id=\"s\">"
	  "<associate-time>1</associate-time></participantsessionassoc>"
	  L("p1", "a", "b") L("p2", "b", "a") E,
	  "session s sip ab;remote=cd group g\n"
	  "party p1 sip:+491@x (Alice & Bob) sends a receives b\n"
	  "party p2 sip:7@x () sends b receives a\n"
	  "stream a 1\nstream b 2\n",
	  "1 2", "caller participants p1\nagent participants p2\n" },
	{ "any order", R L("p2", "b", "a") S("b", "2") P("p2", "sip:7@x")
	  L("p1", "a", "b") S("a", "1") P("p1", "sip:1@x")
	  "<session session_id=\"s\"/>" E,
	  "session s sip  group \n"
	  "party p2 sip:7@x () sends b receives a\n"
	  "party p1 sip:1@x () sends a receives b\n"
	  "stream b 2\nstream a 1\n",
	  "1 2", "agent participants p1\ncaller participants p2\n" },
	{ "OpenSIPS of old: nobody sends", R "<session session_id=\"s\">"
	  "<sipSessionID>1-2@192.0.2.1</sipSessionID></session>" TWO E,
	  "session s sip 1-2@192.0.2.1 group \n"
	  "party p1 sip:1@x ()\nparty p2 sip:2@x ()\n"
	  "stream a 1\nstream b 2\n",
	  "1 2", "caller labels -\nagent labels -\n" },
	{ "CUBE at first: empty associations", R TWO
	  "<participantstreamassoc participant_id=\"p1\">"
	  "</participantstreamassoc>" E,
	  "party p1 sip:1@x ()\nparty p2 sip:2@x ()\n"
	  "stream a 1\nstream b 2\n",
	  "1 2", "caller labels -\nagent labels -\n" },
	{ "Oracle", X "<recording xmlns='urn:ietf:params:xml:ns:recording'>"
	  "<dataMode>complete</dataMode><session id='s'><associate-time>"
	  "2026-01-01T10:00:00</associate-time>"
	  "<extensiondata xmlns:apkt='http://x/'><apkt:ucid>00FA;encoding=hex"
	  "</apkt:ucid><apkt:callerOrig>true</apkt:callerOrig></extensiondata>"
	  "</session><participant id='p1' session='s'><nameID aor='sip:1@x'>"
	  "<name>Ag</name></nameID><send>a</send><associate-time>2026"
	  "</associate-time><extensiondata xmlns:apkt='http://x/'>"
	  "<apkt:callingParty>false</apkt:callingParty></extensiondata>"
	  "</participant><participant id='p2' session='s'>"
	  "<nameID aor='sip:2@x'/><send>b</send><extensiondata>"
	  "<apkt:callingParty>true</apkt:callingParty>"
	  "<apkt:header label='X-Id'><value>7</value></apkt:header>"
	  "<apkt:other><value>8</value></apkt:other>"
	  "</extensiondata></participant><stream id='a' session='s'>"
	  "<label>218103810</label><mode>separate</mode></stream>"
	  "<stream id='b' session='s'><label>218103811</label>"
	  "<mode>separate</mode></stream></recording>",
	  "session s sip  group \n"
	  "party p1 sip:1@x (Ag) answers sends a\n"
	  "party p2 sip:2@x () calls sends b\n"
	  "stream a 218103810\nstream b 218103811\n"
	  "ucid=00FA;encoding=hex\ncallerOrig=true\nX-Id=7\nvalue=8\n",
	  "218103810 218103811",
	  "agent calling_party p1\ncaller calling_party p2\n" },
	{ "the flag outside, by its owner's id", R TWO L("p1", "a", "b")
	  L("p2", "b", "a") "<extensiondata id='e' parent='p2'><c:callingParty"
	  ">TRUE</c:callingParty></extensiondata><extensiondata><x>y</x>"
	  "</extensiondata>" E,
	  "party p1 sip:1@x () sends a receives b\n"
	  "party p2 sip:2@x () calls sends b receives a\n"
	  "stream a 1\nstream b 2\nx=y\n",
	  "1 2", "agent calling_party p1\ncaller calling_party p2\n" },
	{ "Ribbon", X "<tns:recording xmlns:tns="
	  "\"urn:ietf:params:xml:ns:recording:1\"><tns:datamode>complete"
	  "</tns:datamode><tns:group group_id=\"g\"><tns:associate-time>1970"
	  "</tns:associate-time><callData xmlns=\"urn:x\"><fromhdr>&quot;A&quot;"
	  " &lt;sip:+4930123@192.0.2.1;user=phone&gt;;tag=x</fromhdr><tohdr>"
	  "&lt;sip:77@192.0.2.2&gt;</tohdr><callid>1@2</callid><gcid>9</gcid>"
	  "</callData></tns:group><tns:session session_id=\"s\"/>"
	  "<tns:participant participant_id=\"p1\"><tns:nameID "
	  "aor=\"sip:77@192.0.2.2\"/></tns:participant><tns:participant "
	  "participant_id=\"p2\"><tns:nameID aor=\"sip:4930123@192.0.2.9\"/>"
	  "</tns:participant><tns:stream stream_id=\"a\"><tns:label>1"
	  "</tns:label></tns:stream><tns:stream stream_id=\"b\"><tns:label>2"
	  "</tns:label></tns:stream><tns:participantstreamassoc "
	  "participant_id=\"p2\"><tns:send>b</tns:send></tns:"
	  "participantstreamassoc><tns:participantstreamassoc "
	  "participant_id=\"p1\"><tns:send>a</tns:send></tns:"
	  "participantstreamassoc></tns:recording>",
	  "session s sip  group \n"
	  "party p1 sip:77@192.0.2.2 () sends a\n"
	  "party p2 sip:4930123@192.0.2.9 () sends b\n"
	  "stream a 1\nstream b 2\n"
	  "fromhdr=\"A\" <sip:+4930123@192.0.2.1;user=phone>;tag=x\n"
	  "tohdr=<sip:77@192.0.2.2>\ncallid=1@2\ngcid=9\n",
	  "1 2", "agent call_data p1\ncaller call_data p2\n" },
	{ "BroadWorks", X "<recording_metadata\nxmlns=\"urn:ietf:params:xml:ns:"
	  "siprec\"><dataMode>complete</dataMode><recording id=\"r\"><requestor>"
	  "SRC</requestor><type>selective</type></recording><group id=\"g\" "
	  "recording=\"r\"><initiator>sip:86</initiator></group>"
	  "<session id=\"s\" group=\"g\"/><participant id=\"p1\" session=\"s\">"
	  "<aor>sip:86</aor><send>\r\n<id>a</id>\r\n</send></participant>"
	  "<participant id=\"p2\" session=\"s\"><aor>sip:+19@x;user=phone</aor>"
	  "<send><id>b</id></send></participant><stream id=\"a\" session=\"s\">"
	  "<label>1</label><mode>mixed</mode></stream><extensiondata id=\"e\" "
	  "parent=\"s\"><m xmlns=\"http://x\"><extTrackingID>t:1"
	  "</extTrackingID></m></extensiondata></recording_metadata>",
	  "recording r\nsession s sip  group g\n"
	  "party p1 sip:86 () sends a\n"
	  "party p2 sip:+19@x;user=phone () sends b\n"
	  "stream a 1 mixed\ninitiator=sip:86\nextTrackingID=t:1\n",
	  "1", "mixed mixed -\n" },
	{ "BroadWorks' word of who called whom", R TWO L("p1", "a", "b")
	  L("p2", "b", "a") "<extensiondata><callingPartyNumber>tel:+2"
	  "</callingPartyNumber></extensiondata>" E,
	  "party p1 sip:1@x () sends a receives b\n"
	  "party p2 sip:2@x () sends b receives a\n"
	  "stream a 1\nstream b 2\ncallingPartyNumber=tel:+2\n",
	  "1 2", "agent call_data p1\ncaller call_data p2\n" },
	{ "Avaya: one party on one line", R P("p1", "sip:1@x") P("p2",
	  "sip:SBC@x") "<participantstreamassoc participant_id=\"p1\"><send>a"
	  "</send></participantstreamassoc><participantstreamassoc "
	  "participant_id=\"p2\"/>" S("a", "10") S("", "20") E,
	  "party p1 sip:1@x () sends a\nparty p2 sip:SBC@x ()\n"
	  "stream a 10\nstream  20\n",
	  "10", "caller participants p1\n" },
	{ "SEMS: no scheme, legs as labels, no namespace", "<recording>"
	  P("p1", "1@x") P("p2", "2@x") S("a", "b_leg") S("b", "a_leg")
	  "</recording>",
	  "party p1 1@x ()\nparty p2 2@x ()\nstream a b_leg\nstream b a_leg\n",
	  "b_leg a_leg", "agent labels -\ncaller labels -\n" },
	{ "Metaswitch", X "<recording id=\"r\" xmlns=\"urn:ietf:params:xml:ns:"
	  "recording\"><session session_id=\"s\"/><participant "
	  "participant_id=\"p1\"><nameID aor=\"4930111\"><name>4930111</name>"
	  "</nameID></participant><participantstreamassoc participant_id=\"p1\">"
	  "<send>a</send><recv>a</recv></participantstreamassoc><participant "
	  "participant_id=\"p2\"><nameID aor=\"2001\"/></participant>"
	  "<participantstreamassoc participant_id=\"p2\"><send>a</send>"
	  "</participantstreamassoc><stream id=\"a\" session_id=\"s\"><label>1"
	  "</label></stream><extensiondata><m><callingPartyNumber>4930111"
	  "</callingPartyNumber></m></extensiondata></recording>",
	  "recording r\nsession s sip  group \n"
	  "party p1 4930111 (4930111) sends a receives a\n"
	  "party p2 2001 () sends a\nstream a 1\n"
	  "callingPartyNumber=4930111\n", "1", "mixed mixed -\n" },
	{ "Intrado: a call of two sessions, each with its party's role", R
	  "<participant participant_id=\"p1\"><nameID aor=\"2001@x:5060\">"
	  "<name xml:lang=\"en\"></name></nameID><channel>SIP/1</channel>"
	  "<role>called</role></participant>" S("a", "1") L("p1", "a", "a") E,
	  "party p1 2001@x:5060 () answers sends a receives a\n"
	  "stream a 1\nchannel=SIP/1\n",
	  "1", "agent calling_party p1\n" },
	{ "a role we do not know", R "<participant participant_id=\"p1\"><role>"
	  "supervisor</role></participant>" S("a", "1") L("p1", "a", "") E,
	  "party p1  () sends a\nstream a 1\n",
	  "1", "caller participants p1\n" },
	{ "one line, both parties on it", R P("p1", "sip:1@x")
	  P("p2", "sip:2@x") S("a", "1") L("p1", "a", "") L("p2", "a", "") E,
	  "party p1 sip:1@x () sends a\nparty p2 sip:2@x () sends a\n"
	  "stream a 1\n",
	  "1", "mixed mixed -\n" },
	{ "one line, nobody sends", R TWO E,
	  "party p1 sip:1@x ()\nparty p2 sip:2@x ()\n"
	  "stream a 1\nstream b 2\n", "1", "mixed mixed -\n" },
	{ "a conference: one calls", R TWO P("p3", "sip:3@x") S("c", "3")
	  L("p1", "a", "b") L("p2", "b", "c") L("p3", "c", "a") E,
	  "party p1 sip:1@x () sends a receives b\n"
	  "party p2 sip:2@x () sends b receives c\n"
	  "party p3 sip:3@x () sends c receives a\n"
	  "stream a 1\nstream b 2\nstream c 3\n",
	  "1 2 3", "caller participants p1\nagent participants p2\n"
	  "agent participants p3\n" },
	{ "a line nobody knows beside one that is known", R TWO
	  L("p1", "a", "") E,
	  "party p1 sip:1@x () sends a\nparty p2 sip:2@x ()\n"
	  "stream a 1\nstream b 2\n",
	  "9 1", "agent labels -\ncaller participants p1\n" },
	{ "a party has left", R TWO L("p1", "a", "b") L("p2", "b", "a")
	  "<participantsessionassoc participant_id=\"p2\" session_id=\"s\">"
	  "<associate-time>1</associate-time><disassociate-time>2"
	  "</disassociate-time></participantsessionassoc>"
	  "<participantsessionassoc participant_id=\"p1\">"
	  "<disassociate-time>2</disassociate-time></participantsessionassoc>"
	  "<participantsessionassoc participant_id=\"p1\">"
	  "<associate-time>3</associate-time></participantsessionassoc>" E,
	  "party p1 sip:1@x () sends a receives b\n"
	  "party p2 sip:2@x () gone\nstream a 1\nstream b 2\n",
	  "1 2", "caller participants p1\nagent labels -\n" },
	{ "a party has left its stream", R TWO "<participantstreamassoc "
	  "participant_id=\"p1\"><send>a</send><disassociate-time>2"
	  "</disassociate-time></participantstreamassoc>" E,
	  "party p1 sip:1@x ()\nparty p2 sip:2@x ()\n"
	  "stream a 1\nstream b 2\n",
	  "1 2", "caller labels -\nagent labels -\n" },
	{ "blanks, comments, CDATA", "\r\n " R "<!-- <stream/> --><stream "
	  "stream_id=\"a\">\r\n  <label>\r\n 1 <!-- x --></label></stream>"
	  "<stream stream_id=\"b\"><label><![CDATA[2]]></label></stream>" E,
	  "stream a 1\nstream b 2\n", "1 2",
	  "caller labels -\nagent labels -\n" },
	{ "foreign elements where ours could be", R "<x><stream "
	  "stream_id=\"z\"><label>1</label></stream></x>" S("a", "1")
	  "<session session_id=\"s\"><why><label>q</label></why></session>" E,
	  "session s sip  group \nstream a 1\nlabel=1\nlabel=q\n",
	  "1", "mixed mixed -\n" },
	{ "other encodings", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>"
	  "<recording>" P("p", "sip:\xe4@x") "</recording>",
	  "party p sip:\xc3\xa4@x ()\n", "1", "mixed mixed -\n" },
	{ "nothing in it", "<recording/>", "", "1 2",
	  "caller labels -\nagent labels -\n" },
	{ "partial", R "<datamode>partial</datamode>" E, "partial\n", "1",
	  "mixed mixed -\n" },
	{ "characters that cannot be printed", R P("p\x7f", "sip:&#x85;&#9;@x")
	  E, "party p? sip:???@x ()\n", "", "" },
};

static int parse(struct siprec **out, const char *xml, size_t len)
{
	char *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	memcpy(exact, xml, len);
	const int err = siprec_parse(out, exact, len);

	free(exact);
	return err;
}

static struct siprec *parsed(const char *xml)
{
	struct siprec *m = NULL;

	assert_int_equal(parse(&m, xml, strlen(xml)), 0);
	return m;
}

static void print_party(struct buf *b, const struct siprec *m,
			const struct siprec_participant *p)
{
	static const char *const words[] = { "", " calls", " answers" };

	buf_printf(b, "party %s %s (%s)%s%s", p->id, p->aor, p->name,
		   words[p->calling], p->gone ? " gone" : "");
	for (size_t i = 0; !p->gone && i < m->n_links; i++)
		if (!m->links[i].gone &&
		    strcmp(m->links[i].participant, p->id) == 0)
			buf_printf(b, " %s %s",
				   m->links[i].sends ? "sends" : "receives",
				   m->links[i].stream);
	buf_puts(b, "\n");
}

static void print(struct buf *b, const struct siprec *m)
{
	if (m->partial)
		buf_puts(b, "partial\n");
	if (m->recording[0])
		buf_printf(b, "recording %s\n", m->recording);
	for (size_t i = 0; i < m->n_sessions; i++)
		buf_printf(b, "session %s sip %s group %s\n",
			   m->sessions[i].id, m->sessions[i].sip_session_id,
			   m->sessions[i].group);
	for (size_t i = 0; i < m->n_participants; i++)
		print_party(b, m, &m->participants[i]);
	for (size_t i = 0; i < m->n_streams; i++)
		buf_printf(b, "stream %s %s%s\n", m->streams[i].id,
			   m->streams[i].label,
			   m->streams[i].mixed ? " mixed" : "");
	for (size_t i = 0; i < m->n_extensions; i++)
		buf_printf(b, "%s=%s\n", m->extensions[i].name,
			   m->extensions[i].value);
}

static void print_roles(struct buf *b, const char *labels,
			const struct siprec *m,
			const struct siprec_rules *rules)
{
	char words[256], *save = NULL;
	const char *label[8];
	struct siprec_line lines[8];
	size_t n = 0;

	assert_true(strlen(labels) < sizeof(words));
	memcpy(words, labels, strlen(labels) + 1);
	for (char *w = strtok_r(words, " ", &save); w;
	     w = strtok_r(NULL, " ", &save))
		label[n++] = strcmp(w, "-") == 0 ? "" : w;
	siprec_lines(lines, label, n, m, rules);
	for (size_t i = 0; i < n; i++)
		buf_printf(b, "%s %s %s\n", role_name(lines[i].role),
			   lines[i].source,
			   lines[i].who ? lines[i].who->id : "-");
}

static void test_dialects(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf got = { 0 }, roles = { 0 };

		print_message("row: %s\n", rows[i].name);
		struct siprec *m = parsed(rows[i].xml);

		print(&got, m);
		assert_string_equal(buf_str(&got), rows[i].want);
		siprec_settle(m, NULL);
		print_roles(&roles, rows[i].labels, m, NULL);
		assert_string_equal(buf_str(&roles), rows[i].roles);
		siprec_free(m);
		buf_free(&got);
		buf_free(&roles);
	}
}

static void test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const size_t len = strlen(rows[i].xml);

		for (size_t n = 0; n < len - 2; n++) {
			struct siprec *m = NULL;
			const int err = parse(&m, rows[i].xml, n);

			/* what is not closed is no document */
			if (err == 0 || m)
				print_message("row: %s, %zu\n", rows[i].name, n);
			assert_int_equal(err, -EBADMSG);
			assert_null(m);
		}
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *name, *xml;
	} bad[] = {
		{ "nothing", "" },
		{ "blanks", " \r\n" },
		{ "no XML", "v=0\r\n" },
		{ "another root", "<html/>" },
		{ "not closed", "<recording>" },
		{ "closed twice", "<recording/></recording>" },
		{ "two roots", "<recording/><recording/>" },
		{ "an entity nobody knows", "<recording>&x;</recording>" },
		{ "a DTD", "<!DOCTYPE recording><recording/>" },
		{ "a DTD from elsewhere",
		  "<!DOCTYPE recording SYSTEM \"file:///etc/passwd\">"
		  "<recording/>" },
		{ "a thousand laughs", "<?xml version=\"1.0\"?><!DOCTYPE x ["
		  "<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
		  "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]>"
		  "<recording>&c;</recording>" },
		{ "bytes that are no UTF-8", "<recording a=\"\xff\"/>" },
		{ "an encoding nobody has",
		  "<?xml version=\"1.0\" encoding=\"x-y\"?><recording/>" },
		{ "an attribute twice", "<recording a=\"1\" a=\"2\"/>" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct siprec *m = NULL;

		print_message("row: %s\n", bad[i].name);
		assert_int_equal(parse(&m, bad[i].xml, strlen(bad[i].xml)),
				 -EBADMSG);
		assert_null(m);
	}
}

static void repeat(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_puts(b, text);
}

static void test_limits(void **state)
{
	static const struct {
		const char *name, *before, *each, *after;
		size_t n;
		int err;
		size_t participants, streams, links, extensions;
	} limits[] = {
		{ "31 levels below the root", "<recording>", "<x>", "", 31, 0,
		  0, 0, 0, 0 },
		{ "32 levels below the root", "<recording>", "<x>", "", 32,
		  -EMSGSIZE, 0, 0, 0, 0 },
		{ "2,000 elements", "<recording>", "<x/>", "</recording>", 1999,
		  0, 0, 0, 0, 0 },
		{ "2,001 elements", "<recording>", "<x/>", "</recording>", 2000,
		  -EMSGSIZE, 0, 0, 0, 0 },
		{ "64 KiB", "<recording>", "xxxxxxxx", "</recording>", 8188, 0,
		  0, 0, 0, 0 },
		{ "over 64 KiB", "<recording>", "xxxxxxxx", "</recording>",
		  8190, -EMSGSIZE, 0, 0, 0, 0 },
		{ "a hundred parties without a name", "<recording>",
		  "<participant/>", "</recording>", 100, 0, 16, 0, 0, 0 },
		{ "one party a hundred times", "<recording>",
		  "<participant id=\"x\"/>", "</recording>", 100, 0, 1, 0, 0,
		  0 },
		{ "a hundred streams", "<recording>",
		  "<stream><label>1</label></stream>", "</recording>", 100, 0,
		  0, 16, 0, 0 },
		{ "a hundred sessions", "<recording>",
		  "<session><sipSessionID>x</sipSessionID></session>",
		  "</recording>", 100, 0, 0, 0, 0, 0 },
		{ "a hundred associations", "<recording>", L("a", "b", "c"),
		  "</recording>", 100, 0, 0, 0, 64, 0 },
		{ "a hundred extensions", "<recording>", "<x>y</x>",
		  "</recording>", 100, 0, 0, 0, 0, 64 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct siprec *m = NULL;
		struct buf b = { 0 };

		print_message("row: %s\n", limits[i].name);
		buf_puts(&b, limits[i].before);
		repeat(&b, limits[i].each, limits[i].n);
		if (!limits[i].after[0]) {
			repeat(&b, "</x>", limits[i].n);
			buf_puts(&b, "</recording>");
		}
		buf_puts(&b, limits[i].after);
		assert_int_equal(parse(&m, buf_str(&b), b.len), limits[i].err);
		if (m) {
			assert_int_equal(m->n_participants,
					 limits[i].participants);
			assert_int_equal(m->n_streams, limits[i].streams);
			assert_int_equal(m->n_links, limits[i].links);
			assert_int_equal(m->n_extensions,
					 limits[i].extensions);
		}
		siprec_free(m);
		buf_free(&b);
	}
}

/* A long text is cut, between characters */
static void test_long_texts(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_puts(&b, "<recording><participant id=\"");
	repeat(&b, "\xc3\xa4", 1000);
	buf_puts(&b, "\"><name>x");
	repeat(&b, "\xc3\xa4", 1000);
	buf_puts(&b, "<!-- -->y</name></participant></recording>");
	struct siprec *m = parsed(buf_str(&b));

	assert_int_equal(m->n_participants, 1);
	assert_int_equal(strlen(m->participants[0].id), SIPREC_TEXT);
	assert_int_equal(strlen(m->participants[0].name), SIPREC_TEXT - 1);
	assert_true(utf8_valid(m->participants[0].name, SIPREC_TEXT - 1));
	siprec_free(m);
	buf_free(&b);
}

static const char *const agents[] = { "2???@*", "sales@pbx", NULL };
static const char *const callers[] = { "*@trunk", NULL };
static const char *const internal[] = { "pbx.example", "+4930", NULL };

static void test_rules_of_the_operator(void **state)
{
	static const struct {
		const char *name, *first, *second; /* address of record */
		struct siprec_rules rules;
		const char *roles;
	} said[] = {
		{ "none", "sip:1@x", "sip:2@x", { 0 },
		  "caller participants p1\nagent participants p2\n" },
		{ "an agent's number", "sip:2001@x;user=phone", "sip:1@x",
		  { .agent = agents },
		  "agent operator p1\ncaller operator p2\n" },
		{ "an agent's name", "SIP:Sales@PBX", "sip:1@x",
		  { .agent = agents },
		  "agent operator p1\ncaller operator p2\n" },
		{ "nearly an agent's number", "sip:20012@x", "sip:1@x",
		  { .agent = agents },
		  "caller participants p1\nagent participants p2\n" },
		{ "a caller", "sip:1@x", "<sip:2@trunk>;x", { .caller = callers },
		  "agent operator p1\ncaller operator p2\n" },
		{ "both", "sip:2001@x", "sip:9@trunk",
		  { .caller = callers, .agent = agents },
		  "agent operator p1\ncaller operator p2\n" },
		{ "swapped", "sip:1@x", "sip:2@x", { .swap = true },
		  "agent operator p1\ncaller operator p2\n" },
		{ "a domain of ours", "sip:1@a.pbx.example:5060", "sip:2@x",
		  { .internal = internal },
		  "agent internal p1\ncaller internal p2\n" },
		{ "our domain whole", "sip:1@PBX.example;a=b", "sip:2@x",
		  { .internal = internal, .swap = true },
		  "agent internal p1\ncaller internal p2\n" },
		{ "nearly our domain", "sip:1@apbx.example", "sip:2@x",
		  { .internal = internal },
		  "caller participants p1\nagent participants p2\n" },
		{ "a number of ours", "tel:+4930555", "sip:2@x",
		  { .internal = internal },
		  "agent internal p1\ncaller internal p2\n" },
		{ "without its plus", "sip:4930555@x", "sip:2@x",
		  { .internal = internal },
		  "agent internal p1\ncaller internal p2\n" },
		{ "both are ours: that says nothing", "sip:1@pbx.example",
		  "sip:2@pbx.example", { .internal = internal },
		  "caller participants p1\nagent participants p2\n" },
		{ "nobody has an address", "", "", { .agent = agents,
		  .internal = internal },
		  "caller participants p1\nagent participants p2\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		struct buf xml = { 0 }, got = { 0 };

		print_message("row: %s\n", said[i].name);
		buf_puts(&xml, "<recording>");
		for (int k = 0; k < 2; k++) {
			const char *aor = k ? said[i].second : said[i].first;

			buf_printf(&xml, "<participant id='p%d'><nameID aor='",
				   k + 1);
			for (; *aor; aor++)
				if (*aor == '<')
					buf_puts(&xml, "&lt;");
				else
					buf_add(&xml, aor, 1);
			buf_puts(&xml, "'/></participant>");
		}
		buf_puts(&xml, S("a", "1") S("b", "2") L("p1", "a", "b")
			 L("p2", "b", "a") "</recording>");
		struct siprec *m = parsed(buf_str(&xml));

		siprec_settle(m, &said[i].rules);
		print_roles(&got, "1 2", m, &said[i].rules);
		assert_string_equal(buf_str(&got), said[i].roles);
		siprec_free(m);
		buf_free(&xml);
		buf_free(&got);
	}
}

static void test_labels_alone(void **state)
{
	static const struct {
		const char *labels, *roles;
		bool swap;
	} said[] = {
		{ "1 2", "caller labels -\nagent labels -\n", false },
		{ "2 1", "caller labels -\nagent labels -\n", false },
		{ "0 1", "caller labels -\nagent labels -\n", false },
		{ "x y", "caller labels -\nagent labels -\n", false },
		{ "- -", "caller labels -\nagent labels -\n", false },
		{ "b_leg a_leg", "agent labels -\ncaller labels -\n", false },
		{ "outbound x", "agent labels -\ncaller labels -\n", false },
		{ "x inbound", "agent labels -\ncaller labels -\n", false },
		{ "1 2", "agent operator -\ncaller operator -\n", true },
		{ "1 2 3", "caller labels -\nagent labels -\nagent labels -\n",
		  false },
		{ "1", "mixed mixed -\n", false },
		{ "1", "mixed mixed -\n", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		const struct siprec_rules rules = { .swap = said[i].swap };
		struct buf got = { 0 };

		print_message("row: %s\n", said[i].labels);
		print_roles(&got, said[i].labels, NULL, &rules);
		assert_string_equal(buf_str(&got), said[i].roles);
		buf_free(&got);
	}
}

/* A call's life: what is known and who is who after each update */
static void test_updates(void **state)
{
	static const struct {
		const char *name, *xml, *want, *roles;
	} said[] = {
		{ "it begins", R "<session session_id=\"s\"/>" TWO
		  L("p1", "a", "b") L("p2", "b", "a") "<u>1</u>" E,
		  "session s sip  group \n"
		  "party p1 sip:1@x () sends a receives b\n"
		  "party p2 sip:2@x () sends b receives a\n"
		  "stream a 1\nstream b 2\nu=1\n",
		  "caller participants p1\nagent participants p2\n" },
		{ "a third joins, the agent leaves", R
		  "<datamode>partial</datamode>" P("p3", "sip:3@x")
		  "<participantsessionassoc participant_id=\"p2\">"
		  "<disassociate-time>1</disassociate-time>"
		  "</participantsessionassoc>" L("p3", "b", "a") "<u>2</u>" E,
		  "session s sip  group \n"
		  "party p1 sip:1@x () sends a receives b\n"
		  "party p2 sip:2@x () gone\n"
		  "party p3 sip:3@x () sends b receives a\n"
		  "stream a 1\nstream b 2\nu=2\n",
		  "caller participants p1\nagent participants p3\n" },
		{ "the agent has a name now", R "<datamode>partial</datamode>"
		  "<participant participant_id=\"p3\"><name>Eve</name>"
		  "</participant>" E,
		  "session s sip  group \n"
		  "party p1 sip:1@x () sends a receives b\n"
		  "party p2 sip:2@x () gone\n"
		  "party p3 sip:3@x (Eve) sends b receives a\n"
		  "stream a 1\nstream b 2\nu=2\n",
		  "caller participants p1\nagent participants p3\n" },
		{ "the caller holds: it sends nothing", R
		  "<datamode>partial</datamode><participantstreamassoc "
		  "participant_id=\"p1\"><send>a</send><disassociate-time>1"
		  "</disassociate-time></participantstreamassoc>" E,
		  "session s sip  group \nparty p1 sip:1@x ()\n"
		  "party p2 sip:2@x () gone\n"
		  "party p3 sip:3@x (Eve) sends b receives a\n"
		  "stream a 1\nstream b 2\nu=2\n",
		  "caller labels -\nagent participants p3\n" },
		{ "all anew; who comes now is no caller", R
		  "<session session_id=\"s\"/>" P("p4", "sip:4@x")
		  P("p3", "sip:3@x") S("a", "1") S("b", "2") L("p4", "a", "b")
		  L("p3", "b", "a") E,
		  "session s sip  group \n"
		  "party p4 sip:4@x () sends a receives b\n"
		  "party p3 sip:3@x () sends b receives a\n"
		  "stream a 1\nstream b 2\n",
		  "agent participants p4\nagent participants p3\n" },
		{ "the first one is back", R "<session session_id=\"s\"/>"
		  P("p1", "sip:1@x") P("p4", "sip:4@x") S("a", "1") S("b", "2")
		  L("p1", "a", "b") L("p4", "b", "a") E,
		  "session s sip  group \n"
		  "party p1 sip:1@x () sends a receives b\n"
		  "party p4 sip:4@x () sends b receives a\n"
		  "stream a 1\nstream b 2\n",
		  "caller participants p1\nagent participants p4\n" },
		{ "its vendor knows better", R "<datamode>partial</datamode>"
		  "<participant participant_id=\"p4\"><extensiondata>"
		  "<callingParty>true</callingParty></extensiondata>"
		  "</participant>" E,
		  "session s sip  group \n"
		  "party p1 sip:1@x () sends a receives b\n"
		  "party p4 sip:4@x () calls sends b receives a\n"
		  "stream a 1\nstream b 2\n",
		  "agent calling_party p1\ncaller calling_party p4\n" },
		{ "what it said holds when it says no more, also for others", R
		  P("p5", "sip:5@x") P("p4", "sip:4@x") S("a", "1")
		  S("b", "2") L("p5", "a", "b") L("p4", "b", "a") E,
		  "party p5 sip:5@x () sends a receives b\n"
		  "party p4 sip:4@x () sends b receives a\n"
		  "stream a 1\nstream b 2\n",
		  "agent participants p5\ncaller calling_party p4\n" },
		{ "both on one line now", R "<datamode>partial</datamode>"
		  "<stream stream_id=\"a\"><mode>mixed</mode></stream>" E,
		  "party p5 sip:5@x () sends a receives b\n"
		  "party p4 sip:4@x () sends b receives a\n"
		  "stream a 1 mixed\nstream b 2\n",
		  "mixed mixed -\ncaller calling_party p4\n" },
	};
	struct siprec *known = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		struct buf got = { 0 }, roles = { 0 };

		print_message("row: %s\n", said[i].name);
		siprec_update(&known, parsed(said[i].xml));
		siprec_settle(known, NULL);
		print(&got, known);
		assert_string_equal(buf_str(&got), said[i].want);
		print_roles(&roles, "1 2", known, NULL);
		assert_string_equal(buf_str(&roles), said[i].roles);
		buf_free(&got);
		buf_free(&roles);
	}
	siprec_free(known);
}

/* Whoever comes after a caller that a rule has found is none */
static void test_one_caller_is_enough(void **state)
{
	struct siprec *known = NULL;
	struct buf got = { 0 };

	(void)state;
	siprec_update(&known, parsed(R "<participant participant_id='p1'>"
		"<callingParty>true</callingParty></participant>" E));
	assert_int_equal(known->participants[0].calling,
			 SIPREC_CALLING_YES);
	siprec_settle(known, NULL);
	siprec_update(&known, parsed(R TWO L("p1", "a", "b") L("p2", "b", "a")
		E));
	siprec_settle(known, NULL);
	print_roles(&got, "1 2", known, NULL);
	assert_string_equal(buf_str(&got), "caller calling_party p1\n"
			    "agent participants p2\n");
	buf_clear(&got);
	siprec_update(&known, parsed(R P("p3", "sip:3@x") P("p4", "sip:4@x")
		S("a", "1") S("b", "2") L("p3", "a", "b") L("p4", "b", "a") E));
	siprec_settle(known, NULL);
	print_roles(&got, "1 2", known, NULL);
	assert_string_equal(buf_str(&got), "agent participants p3\n"
			    "agent participants p4\n");
	siprec_free(known);
	buf_free(&got);
}

/* More than fits, over and over: nothing grows, nothing is lost twice */
static void test_updates_stay_bounded(void **state)
{
	struct siprec *known = parsed("<recording/>");

	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		struct buf b = { 0 };

		buf_printf(&b, "<recording><datamode>partial</datamode>"
			   "<session id='s%u'/><participant id='p%u'/>"
			   "<stream id='t%u'/><participantstreamassoc "
			   "participant_id='p%u'><send>t%u</send>"
			   "</participantstreamassoc><e%u>v</e%u>"
			   "</recording>", i, i, i, i, i, i, i);
		siprec_update(&known, parsed(buf_str(&b)));
		siprec_settle(known, NULL);
		buf_free(&b);
	}
	assert_int_equal(known->n_sessions, SIPREC_SESSIONS_MAX);
	assert_int_equal(known->n_participants, SIPREC_PARTICIPANTS_MAX);
	assert_int_equal(known->n_streams, SIPREC_STREAMS_MAX);
	assert_int_equal(known->n_links, SIPREC_LINKS_MAX);
	assert_int_equal(known->n_extensions, SIPREC_EXTENSIONS_MAX);
	assert_string_equal(siprec_extension(known, "E63"), "v");
	assert_null(siprec_extension(known, "e64"));
	siprec_free(known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialects),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_rules_of_the_operator),
		cmocka_unit_test(test_labels_alone),
		cmocka_unit_test(test_updates),
		cmocka_unit_test(test_one_caller_is_enough),
		cmocka_unit_test(test_updates_stay_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
