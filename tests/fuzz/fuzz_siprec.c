/**
 * @file fuzz_siprec.c  Metadata of recordings: documents one after the other,
 *                      a NUL between them, each an update of what is known
 *
 * expat is not instrumented: the mutator changes elements and attributes and
 * closes what it left open, so that most documents stay well-formed.
 */
#include <errno.h>

#include "daemon/base/array.h"
#include "daemon/base/must.h"
#include "daemon/base/utf8.h"
#include "daemon/sig/siprec.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/lines.h"

static const char *const elements[] = {
	"<recording>", "</recording>", "<recording_metadata xmlns=\"urn:x\">",
	"<datamode>partial</datamode>", "<dataMode>complete</dataMode>",
	"<recording id=\"r\"/>", "<group group_id=\"g\">", "<callData>",
	"<fromhdr>&lt;sip:1@x&gt;;tag=a</fromhdr>", "<tohdr>sip:2@x</tohdr>",
	"<session session_id=\"s\">", "<session id=\"t\" group=\"g\"/>",
	"<sipSessionID>a;remote=b</sipSessionID>", "<group-ref>g</group-ref>",
	"<participant participant_id=\"p1\">", "<participant id=\"p2\">",
	"</participant>", "<nameID aor=\"sip:1@x\">", "<name>A</name>",
	"<aor>sip:2@x</aor>", "<stream stream_id=\"a\"><label>1</label></stream>",
	"<stream id=\"b\">", "<label>2</label>", "<mode>mixed</mode>",
	"<participantstreamassoc participant_id=\"p1\">", "<send>a</send>",
	"<recv>b</recv>", "<send><id>b</id></send>",
	"<participantsessionassoc participant_id=\"p2\">",
	"<disassociate-time>1</disassociate-time>", "<associate-time/>",
	"<extensiondata parent=\"p2\">", "<x:callingParty>true</x:callingParty>",
	"<header label=\"h\"><value>v</value></header>", "<ucid>7</ucid>",
	"<callingPartyNumber>tel:+1</callingPartyNumber>", "<!-- -->",
	"<![CDATA[a]]>", "<?xml version=\"1.0\"?>", "<!DOCTYPE x>",
};
static const char *const values[] = {
	"", "\"", "'", "\"a\"", "=\"p1\"", "p1", "p2", "a", "b", "s", "1", "2",
	"a_leg", "sip:1@x", "sip:", "tel:+4930", "<", ">", "/>", "&lt;", "&#9;",
	"&#x2028;", "\xc3\xa4", "\xff", "true", "false", "mixed", "partial",
	"participant_id=\"", "xmlns:x=\"urn:y\" ", ":", "tns:",
};
static const struct lines_words words = {
	elements, ARRAY_LEN(elements), values, ARRAY_LEN(values),
};

enum { OPEN_MAX = 64 };

/* Names of what is open, as views */
struct open {
	const uint8_t *name[OPEN_MAX];
	size_t len[OPEN_MAX];
	size_t n;
};

static void close_last(struct buf *out, struct open *o)
{
	o->n--;
	buf_puts(out, "</");
	buf_add(out, o->name[o->n], o->len[o->n]);
	buf_puts(out, ">");
}

/* One "<...>"; closing ones close what is open up to theirs, or are dropped */
static void put_tag(struct buf *out, struct open *o, const uint8_t *tag,
		    size_t len)
{
	const bool closing = len > 2 && tag[1] == '/';
	const uint8_t *name = tag + 1 + closing;
	size_t n = 0, i;

	while (name + n < tag + len && !strchr(" \t\r\n/>", name[n]))
		n++;
	if (!closing) {
		buf_add(out, tag, len);
		if (len > 2 && tag[len - 2] != '/' && tag[1] != '!' &&
		    tag[1] != '?' && n && o->n < OPEN_MAX) {
			o->name[o->n] = name;
			o->len[o->n++] = n;
		}
		return;
	}
	for (i = o->n; i > 0; i--)
		if (o->len[i - 1] == n && memcmp(o->name[i - 1], name, n) == 0)
			break;
	while (i > 0 && o->n >= i)
		close_last(out, o);
}

/* Every document well-formed again, as far as its tags go */
static void mend(struct buf *b)
{
	struct buf out = { 0 };
	struct open o = { .n = 0 };
	const uint8_t *p = b->data, *end;

	if (!b->len)
		return;
	end = p + b->len;
	while (p < end) {
		const uint8_t *gt = *p == '<' ? memchr(p, '>', (size_t)(end - p))
					      : NULL;

		if (*p == '\0')
			while (o.n)
				close_last(&out, &o);
		if (gt) {
			put_tag(&out, &o, p, (size_t)(gt - p) + 1);
			p = gt + 1;
		} else {
			buf_add(&out, p++, 1);
		}
	}
	while (o.n)
		close_last(&out, &o);
	if (out.err) {
		buf_free(&out);
		return;
	}
	buf_free(b);
	*b = out;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max,
			       unsigned seed)
{
	return lines_mutate(data, size, max, seed, &words, mend);
}

static void check_text(const char *text)
{
	must(text && strlen(text) <= SIPREC_TEXT);
	must(utf8_valid(text, strlen(text)));
	for (; *text; text++)
		must((uint8_t)*text >= ' ' && *text != 0x7f);
}

static void check(const struct siprec *m)
{
	must(m->n_sessions <= SIPREC_SESSIONS_MAX);
	must(m->n_participants <= SIPREC_PARTICIPANTS_MAX);
	must(m->n_streams <= SIPREC_STREAMS_MAX);
	must(m->n_links <= SIPREC_LINKS_MAX);
	must(m->n_extensions <= SIPREC_EXTENSIONS_MAX);
	check_text(m->recording);
	for (size_t i = 0; i < m->n_sessions; i++) {
		check_text(m->sessions[i].id);
		check_text(m->sessions[i].sip_session_id);
		check_text(m->sessions[i].group);
	}
	for (size_t i = 0; i < m->n_participants; i++) {
		check_text(m->participants[i].id);
		check_text(m->participants[i].aor);
		check_text(m->participants[i].name);
		must(m->participants[i].role == ROLE_CALLER ||
		     m->participants[i].role == ROLE_AGENT);
		must(m->participants[i].role_source);
	}
	for (size_t i = 0; i < m->n_streams; i++) {
		check_text(m->streams[i].id);
		check_text(m->streams[i].label);
	}
	for (size_t i = 0; i < m->n_links; i++) {
		check_text(m->links[i].participant);
		check_text(m->links[i].stream);
	}
	for (size_t i = 0; i < m->n_extensions; i++) {
		check_text(m->extensions[i].name);
		check_text(m->extensions[i].value);
	}
}

static void check_lines(const struct siprec *m, const struct siprec_rules *rules)
{
	static const char *const labels[] = { "1", "2", "", "a_leg" };
	struct siprec_line lines[ARRAY_LEN(labels)];

	for (size_t n = 1; n <= ARRAY_LEN(labels); n++) {
		siprec_lines(lines, labels, n, m, rules);
		for (size_t i = 0; i < n; i++) {
			must(lines[i].role != ROLE_UNKNOWN && lines[i].source);
			must(!lines[i].who || lines[i].role == lines[i].who->role);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char *const agent[] = { "2*@?", NULL };
	static const char *const internal[] = { "x", "+4930", NULL };
	static const struct siprec_rules all[] = {
		{ .swap = false }, { .swap = true }, { .agent = agent },
		{ .internal = internal },
	};
	const struct siprec_rules *rules = &all[len % ARRAY_LEN(all)];
	struct siprec *known = NULL;
	bool good = false;

	while (len) {
		const uint8_t *nul = memchr(data, '\0', len);
		const size_t n = nul ? (size_t)(nul - data) : len;
		struct siprec *news = NULL;
		char *exact = malloc(n ? n : 1);

		must(exact);
		memcpy(exact, data, n);
		const int err = siprec_parse(&news, exact, n);

		free(exact);
		must(err == 0 || err == -EBADMSG || err == -EMSGSIZE);
		must(!news == (err != 0));
		good |= !err;
		if (news) {
			siprec_update(&known, news);
			siprec_settle(known, rules);
			check(known);
			check_lines(known, rules);
		}
		data += n + (nul != NULL);
		len -= n + (nul != NULL);
	}
	siprec_free(known);
	fuzz_count_input(good);
	return 0;
}
