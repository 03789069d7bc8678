/** @file siprec_role.c  Who of a recorded call's parties is the caller */
#include <string.h>
#include <strings.h>

#include "daemon/base/array.h"
#include "daemon/sig/siprec.h"

struct text {
	const char *p;
	size_t len;
};

/* -- addresses of record --------------------------------------------------------------- */

/* "sip:2001@pbx:5060;x=y" -> "2001@pbx:5060"; `"A" <sip:...>` likewise */
static struct text bare(const char *aor)
{
	const char *angle = strchr(aor, '<');
	struct text t = { angle ? angle + 1 : aor, 0 };
	const size_t scheme = strcspn(t.p, ":@;>");

	if (t.p[scheme] == ':' &&
	    (strncasecmp(t.p, "sip:", 4) == 0 ||
	     strncasecmp(t.p, "sips:", 5) == 0 ||
	     strncasecmp(t.p, "tel:", 4) == 0))
		t.p += scheme + 1;
	t.len = strcspn(t.p, ";>?");
	return t;
}

static struct text user_of(struct text t)
{
	const char *at = memchr(t.p, '@', t.len);

	if (at)
		t.len = (size_t)(at - t.p);
	if (t.len && *t.p == '+') {
		t.p++;
		t.len--;
	}
	return t;
}

static struct text host_of(struct text t)
{
	const char *at = memchr(t.p, '@', t.len);
	struct text host = { t.p + t.len, 0 };

	if (!at)
		return host;
	host.p = at + 1;
	host.len = t.len - (size_t)(at + 1 - t.p);
	if (host.len && *host.p != '[') {
		const char *port = memchr(host.p, ':', host.len);

		if (port)
			host.len = (size_t)(port - host.p);
	}
	return host;
}

static bool same_user(const char *a, const char *b)
{
	const struct text x = user_of(bare(a)), y = user_of(bare(b));

	return x.len && x.len == y.len && strncasecmp(x.p, y.p, x.len) == 0;
}

/* * and ?, without case; goes back to the last * only, so it is quick */
static bool matches(struct text t, const char *pattern)
{
	const char *star = NULL;
	size_t i = 0, from = 0;

	while (i < t.len) {
		if (*pattern == '*') {
			star = ++pattern;
			from = i;
		} else if (*pattern &&
			   (*pattern == '?' ||
			    strncasecmp(pattern, t.p + i, 1) == 0)) {
			pattern++;
			i++;
		} else if (star) {
			pattern = star;
			i = ++from;
		} else {
			return false;
		}
	}
	return pattern[strspn(pattern, "*")] == '\0';
}

static bool any_matches(const char *aor, const char *const *patterns)
{
	for (; patterns && *patterns; patterns++)
		if (aor[0] && matches(bare(aor), *patterns))
			return true;
	return false;
}

static bool is_internal(const char *aor, const char *const *internal)
{
	const struct text t = bare(aor), host = host_of(t), user = user_of(t);

	for (; internal && *internal; internal++) {
		const char *one = *internal;
		const size_t len = strlen(one);
		const bool number = one[strspn(one, "+0123456789")] == '\0';
		const char *digits = one + (*one == '+');

		if (number && user.len >= strlen(digits) && *digits &&
		    strncmp(user.p, digits, strlen(digits)) == 0)
			return true;
		if (!number && host.len >= len &&
		    strncasecmp(host.p + host.len - len, one, len) == 0 &&
		    (host.len == len || host.p[host.len - len - 1] == '.'))
			return true;
	}
	return false;
}

/* -- rules: each says what it can of each party ------------------------------------------- */

static enum role by_operator(const struct siprec *m, size_t i,
			     const struct siprec_rules *rules)
{
	const char *aor = m->participants[i].aor;

	return !rules				  ? ROLE_UNKNOWN
	       : any_matches(aor, rules->caller) ? ROLE_CALLER
	       : any_matches(aor, rules->agent)  ? ROLE_AGENT
						 : ROLE_UNKNOWN;
}

static enum role by_flag(const struct siprec *m, size_t i,
			 const struct siprec_rules *rules)
{
	(void)rules;
	switch (m->participants[i].calling) {
	case SIPREC_CALLING_YES:
		return ROLE_CALLER;
	case SIPREC_CALLING_NO:
		return ROLE_AGENT;
	default:
		return ROLE_UNKNOWN;
	}
}

static enum role by_call_data(const struct siprec *m, size_t i,
			      const struct siprec_rules *rules)
{
	static const char *const from[] = { "fromhdr", "callingPartyNumber" };
	static const char *const to[] = { "tohdr", "calledPartyNumber" };
	const char *aor = m->participants[i].aor;

	(void)rules;
	for (size_t k = 0; k < ARRAY_LEN(from); k++) {
		const char *caller = siprec_extension(m, from[k]);
		const char *called = siprec_extension(m, to[k]);

		if (caller && same_user(caller, aor))
			return ROLE_CALLER;
		if (called && same_user(called, aor))
			return ROLE_AGENT;
	}
	return ROLE_UNKNOWN;
}

/* Between two of one side it says nothing */
static enum role by_side(const struct siprec *m, size_t i,
			 const struct siprec_rules *rules)
{
	const char *const *internal = rules ? rules->internal : NULL;
	size_t inside = 0, outside = 0;

	for (size_t k = 0; internal && k < m->n_participants; k++)
		if (is_internal(m->participants[k].aor, internal))
			inside++;
		else
			outside++;
	if (!inside || !outside)
		return ROLE_UNKNOWN;
	return is_internal(m->participants[i].aor, internal) ? ROLE_AGENT
							     : ROLE_CALLER;
}

static const struct {
	const char *source;
	enum role (*role)(const struct siprec *m, size_t i,
			  const struct siprec_rules *rules);
} laws[] = {
	{ "operator", by_operator },
	{ "calling_party", by_flag },
	{ "call_data", by_call_data },
	{ "internal", by_side },
};

/* @return whether this rule could tell */
static bool apply(struct siprec *m, size_t law, const struct siprec_rules *rules)
{
	bool caller = false, agent = false;
	enum role roles[SIPREC_PARTICIPANTS_MAX];

	for (size_t i = 0; i < m->n_participants; i++) {
		roles[i] = laws[law].role(m, i, rules);
		caller |= roles[i] == ROLE_CALLER;
		agent |= roles[i] == ROLE_AGENT;
	}
	if (!caller && !agent)
		return false;
	for (size_t i = 0; i < m->n_participants; i++) {
		struct siprec_participant *p = &m->participants[i];

		/* the others are on the other side */
		p->role = roles[i] ? roles[i]
			  : caller ? ROLE_AGENT : ROLE_CALLER;
		p->role_source = laws[law].source;
	}
	return true;
}

static enum role other(enum role r)
{
	return r == ROLE_CALLER ? ROLE_AGENT : ROLE_CALLER;
}

static void by_order(struct siprec *m, const struct siprec_rules *rules)
{
	const bool swap = rules && rules->swap;

	for (size_t i = 0; i < m->n_participants; i++) {
		struct siprec_participant *p = &m->participants[i];

		/* who was the caller stays it, gone or come back */
		if (p->role_source)
			continue;
		if (!m->had_caller && p->id[0])
			m->caller = strdup(p->id); /* NULL: not known again */
		p->role = !m->had_caller || (m->caller &&
					     strcmp(m->caller, p->id) == 0)
				  ? ROLE_CALLER : ROLE_AGENT;
		p->role_source = swap ? "operator" : "participants";
		m->had_caller = true;
		if (swap)
			p->role = other(p->role);
	}
}

void siprec_settle(struct siprec *m, const struct siprec_rules *rules)
{
	bool told = false;

	for (size_t i = 0; !told && i < ARRAY_LEN(laws); i++)
		told = apply(m, i, rules);
	if (!told)
		by_order(m, rules);
	m->had_caller |= told;
}

/* -- m-lines ---------------------------------------------------------------------------------- */

static size_t senders(const struct siprec *m, const char *label,
		      const struct siprec_participant **who)
{
	const struct siprec_stream *s = siprec_stream(m, label);
	size_t n = 0;

	for (size_t i = 0; s && i < m->n_participants; i++)
		if (siprec_sends(m, &m->participants[i], s)) {
			*who = &m->participants[i];
			n++;
		}
	return n;
}

/* Does label `a` name the caller, beside `b`?  1, -1, or 0: cannot tell.
 * Numbers cannot: rtpengine gives the caller's line 1 and the other's 0. */
static int calls(const char *a, const char *b)
{
	static const char *const callers[] = { "a_leg", "inbound", "caller" };
	static const char *const agents[] = { "b_leg", "outbound", "callee",
					      "agent" };

	for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
		if (strcasecmp(a, callers[i]) == 0)
			return 1;
		if (strcasecmp(b, callers[i]) == 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(agents); i++) {
		if (strcasecmp(a, agents[i]) == 0)
			return -1;
		if (strcasecmp(b, agents[i]) == 0)
			return 1;
	}
	return 0;
}

/* The m-line of the caller, as far as their labels tell; else the first */
static size_t first_by_label(const char *const *labels, size_t n)
{
	size_t first = 0;

	for (size_t i = 1; i < n; i++)
		if (calls(labels[i], labels[first]) > 0)
			first = i;
	return first;
}

/* Lines nobody is known to send on */
static void fill(struct siprec_line *out, const char *const *labels, size_t n,
		 const struct siprec_rules *rules)
{
	const bool swap = rules && rules->swap;
	size_t first = first_by_label(labels, n);
	bool caller = false, known = false;

	for (size_t i = 0; i < n; i++) {
		caller |= out[i].role == ROLE_CALLER;
		known |= out[i].role == ROLE_CALLER ||
			 out[i].role == ROLE_AGENT;
	}
	for (size_t i = 0; i < n; i++) {
		if (out[i].role != ROLE_UNKNOWN)
			continue;
		out[i].role = known ? (caller ? ROLE_AGENT : ROLE_CALLER)
			      : i == first ? ROLE_CALLER : ROLE_AGENT;
		out[i].source = "labels";
		if (swap && !known) {
			out[i].role = other(out[i].role);
			out[i].source = "operator";
		}
	}
}

void siprec_lines(struct siprec_line *out, const char *const *labels, size_t n,
		  const struct siprec *m, const struct siprec_rules *rules)
{
	for (size_t i = 0; i < n; i++) {
		const struct siprec_stream *s = siprec_stream(m, labels[i]);
		const struct siprec_participant *who = NULL;
		const size_t sending = m ? senders(m, labels[i], &who) : 0;

		out[i] = (struct siprec_line){ .role = ROLE_UNKNOWN };
		if (sending > 1 || (s && s->mixed) || (n == 1 && !sending))
			out[i] = (struct siprec_line){ ROLE_MIXED, "mixed",
						       NULL };
		else if (sending == 1)
			out[i] = (struct siprec_line){
				who->role, who->role_source, who };
	}
	fill(out, labels, n, rules);
}
