/** @file test_sip.c  daemon/sig/sip.c, sip_head.c and sip_body.c */
#include "daemon/sig/sip.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/base/array.h"
#include "daemon/base/buf.h"

#define VIA "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n"
#define FROM "From: <sip:alice@a.example>;tag=f1\r\n"
#define TO "To: <sip:bob@b.example>\r\n"
#define ID "Call-ID: 7@a.example\r\n"
#define CSEQ "CSeq: 9 INVITE\r\n"
#define HEAD VIA FROM TO ID CSEQ
#define START "INVITE sip:bob@b.example SIP/2.0\r\n"
#define BODY(N, T) "Content-Type: " T "\r\nContent-Length: " #N "\r\n\r\n"
#define MIXED "Content-Type: multipart/mixed;boundary=b1\r\n\r\n"

/* What a row does not name is as in START HEAD */
static const struct row {
	const char *name;
	const char *text;
	int err;
	struct sip_message want;
} rows[] = {
	{ "request", START HEAD "\r\n", 0, { 0 } },
	{ "response",
	  "SIP/2.0 200 OK\r\n" VIA FROM
	  "To: <sip:bob@b.example>;tag=t1\r\n" ID CSEQ "\r\n", 0,
	  { .status = 200, .to_tag = "t1" } },
	{ "response without a reason", "SIP/2.0 100 \r\n" HEAD "\r\n", 0,
	  { .status = 100 } },
	{ "response without even a blank", "SIP/2.0 699\r\n" HEAD "\r\n", 0,
	  { .status = 699 } },
	{ "line feeds alone",
	  "INVITE sip:b SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\n"
	  "From: <sip:alice@a.example>;tag=f1\nTo: <sip:bob@b.example>\n"
	  "Call-ID: 7@a.example\nCSeq: 9 INVITE\n\n", 0, { 0 } },
	{ "line ends before it", "\r\n\r\n\n" START HEAD "\r\n", 0, { 0 } },
	{ "compact forms",
	  START "v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n"
	  "f: <sip:alice@a.example>;tag=f1\r\nt: <sip:bob@b.example>\r\n"
	  "i: 7@a.example\r\n" CSEQ "c: application/sdp\r\nl: 4\r\n\r\nv=0\n",
	  0, { .sdp = "v=0\n" } },
	{ "folded and blank",
	  START "VIA  :\r\n SIP/2.0/UDP 192.0.2.1\r\n\t;branch=z9hG4bKa\r\n"
	  "from\t:  <sip:alice@a.example>\r\n   ;tag=f1  \r\n" TO
	  "Call-ID:\r\n\t7@a.example\r\nCSeq:   9   INVITE  \r\n\r\n", 0,
	  { 0 } },
	{ "topmost of several Vias",
	  START VIA "Via: SIP/2.0/UDP h2;branch=z9hG4bKb\r\n" FROM TO ID CSEQ
	  "\r\n", 0, { 0 } },
	{ "topmost of a list of Vias",
	  START "Via: SIP/2.0/UDP h1;branch=z9hG4bKa, SIP/2.0/TCP h2;branch=x"
	  "\r\n" FROM TO ID CSEQ "\r\n", 0, { 0 } },
	{ "no branch", START "Via: SIP/2.0/UDP h\r\n" FROM TO ID CSEQ "\r\n",
	  0, { .branch = "" } },
	{ "no from tag (RFC 2543)",
	  START VIA "From: sip:alice@a.example\r\n" TO ID CSEQ "\r\n", 0,
	  { .from_tag = "" } },

	{ "display name", START VIA
	  "From: \"A <b>, \\\"c\" <sip:alice@a.example>;tag=f1\r\n" TO ID CSEQ
	  "\r\n", 0, { 0 } },
	{ "display name, quotes escaped for no reason", START VIA
	  "From: \\\"A\\\" <sip:alice@a.example>;tag=f1\r\n" TO ID CSEQ
	  "\r\n", 0, { 0 } },
	{ "display name with a comma and no quotes", START VIA
	  "From: Bell, A <sip:alice@a.example>;tag=f1\r\n" TO ID CSEQ "\r\n",
	  0, { 0 } },
	{ "display name never closed", START VIA
	  "From: \"A <sip:alice@a.example>;tag=f1\r\n" TO ID CSEQ "\r\n",
	  -EBADMSG, { 0 } },
	{ "host alone", START VIA "From: <sip:a.example:5070;lr>;tag=f1\r\n" TO
	  ID CSEQ "\r\n", 0, { .from = "a.example" } },
	{ "sips and port", START VIA
	  "From: <sips:alice@a.example:5061;user=phone>;tag=f1\r\n" TO ID CSEQ
	  "\r\n", 0, { 0 } },
	{ "IPv6", START VIA "From: <sip:alice@[2001:db8::1]:5060>;tag=f1\r\n"
	  TO ID CSEQ "\r\n", 0, { .from = "alice@[2001:db8::1]" } },
	{ "tel", START VIA "From: <tel:+4930123456;phone-context=x>;tag=f1\r\n"
	  TO ID CSEQ "\r\n", 0, { .from = "+4930123456;phone-context=x" } },
	{ "another scheme", START VIA "From: <urn:service:sos>;tag=f1\r\n" TO
	  ID CSEQ "\r\n", 0, { .from = "urn:service:sos" } },
	{ "escaped user", START VIA "From: <sip:al%69ce@a.example>;tag=f1\r\n"
	  TO ID CSEQ "\r\n", 0, { 0 } },
	{ "escaped control characters", START VIA
	  "From: <sip:a%1b%0ab@a.example>;tag=f1\r\n" TO ID CSEQ "\r\n", 0,
	  { .from = "a??b@a.example" } },
	{ "not UTF-8", START VIA FROM TO "Call-ID: 7\xff@a.example\r\n" CSEQ
	  "\r\n", 0, { .call_id = "7?@a.example" } },
	{ "Call-ID without a host", START VIA FROM TO "Call-ID: 7\r\n" CSEQ
	  "\r\n", 0, { .call_id = "7" } },

	{ "ACK", "ACK sip:b SIP/2.0\r\n" VIA FROM TO ID "CSeq: 9 ACK\r\n\r\n",
	  0, { .method = SIP_ACK } },
	{ "BYE", "BYE sip:b SIP/2.0\r\n" VIA FROM TO ID "CSeq: 9 BYE\r\n\r\n",
	  0, { .method = SIP_BYE } },
	{ "CANCEL", "CANCEL sip:b SIP/2.0\r\n" VIA FROM TO ID
	  "CSeq: 9 CANCEL\r\n\r\n", 0, { .method = SIP_CANCEL } },
	{ "OPTIONS", "OPTIONS sip:b SIP/2.0\r\n" VIA FROM TO ID
	  "CSeq: 9 OPTIONS\r\n\r\n", 0, { .method = SIP_OPTIONS } },
	{ "UPDATE", "UPDATE sip:b SIP/2.0\r\n" VIA FROM TO ID
	  "CSeq: 9 UPDATE\r\n\r\n", 0, { .method = SIP_UPDATE } },
	{ "INFO", "INFO sip:b SIP/2.0\r\n" VIA FROM TO ID
	  "CSeq: 9 INFO\r\n\r\n", 0, { .method = SIP_INFO } },
	{ "PRACK", "PRACK sip:b SIP/2.0\r\n" VIA FROM TO ID
	  "CSeq: 9 PRACK\r\n\r\n", 0, { .method = SIP_PRACK } },
	{ "REGISTER", "REGISTER sip:b SIP/2.0\r\n" VIA FROM TO ID
	  "CSeq: 9 REGISTER\r\n\r\n", 0, { .method = SIP_REGISTER } },
	{ "another method", "PUBLISH sip:b SIP/2.0\r\n" VIA FROM TO ID
	  "CSeq: 9 PUBLISH\r\n\r\n", 0, { .method = (enum sip_method)-1 } },
	{ "methods are case-sensitive", "bye sip:b SIP/2.0\r\n" VIA FROM TO ID
	  "CSeq: 9 bye\r\n\r\n", 0, { .method = (enum sip_method)-1 } },
	{ "method of a response", "SIP/2.0 200 OK\r\n" VIA FROM TO ID
	  "CSeq: 9 BYE\r\n\r\n", 0, { .status = 200, .method = SIP_BYE } },

	{ "request URI of another scheme",
	  "INVITE soap.beep://192.0.2.9:3002 SIP/2.0\r\n" HEAD "\r\n", 0,
	  { 0 } },
	{ "request URI with a and z", "INVITE az:b SIP/2.0\r\n" HEAD "\r\n",
	  0, { 0 } },
	{ "request URI, capital", "INVITE Za:b SIP/2.0\r\n" HEAD "\r\n", 0,
	  { 0 } },
	{ "request URI that begins with a digit",
	  "INVITE 1a:b SIP/2.0\r\n" HEAD "\r\n", -EBADMSG, { 0 } },
	{ "a tab in the request URI",
	  "INVITE sip:b\tc SIP/2.0\r\n" HEAD "\r\n", -EBADMSG, { 0 } },
	{ "request URI in brackets",
	  "INVITE <sip:b> SIP/2.0\r\n" HEAD "\r\n", -EBADMSG, { 0 } },
	{ "request URI without a scheme",
	  "INVITE bob SIP/2.0\r\n" HEAD "\r\n", -EBADMSG, { 0 } },
	{ "two blanks", "INVITE  sip:b SIP/2.0\r\n" HEAD "\r\n", -EBADMSG,
	  { 0 } },
	{ "a blank behind", "INVITE sip:b SIP/2.0 \r\n" HEAD "\r\n", -EBADMSG,
	  { 0 } },
	{ "version 7", "INVITE sip:b SIP/7.0\r\n" HEAD "\r\n", -EBADMSG,
	  { 0 } },
	{ "version in small letters", "INVITE sip:b sip/2.0\r\n" HEAD "\r\n",
	  0, { 0 } },
	{ "no version", "INVITE sip:b\r\n" HEAD "\r\n", -EBADMSG, { 0 } },
	{ "HTTP", "GET / HTTP/1.1\r\n" HEAD "\r\n", -EBADMSG, { 0 } },
	{ "junk before it", "x" START HEAD "\r\n", -EBADMSG, { 0 } },
	{ "four zero bytes", "\1\1\1\1" START HEAD "\r\n", -EBADMSG, { 0 } },
	{ "status 99", "SIP/2.0 099 OK\r\n" HEAD "\r\n", -EBADMSG, { 0 } },
	{ "status 700", "SIP/2.0 700 OK\r\n" HEAD "\r\n", -EBADMSG, { 0 } },
	{ "status 4294967301", "SIP/2.0 4294967301 x\r\n" HEAD "\r\n",
	  -EBADMSG, { 0 } },
	{ "status in words", "SIP/2.0 two OK\r\n" HEAD "\r\n", -EBADMSG,
	  { 0 } },

	{ "no Via", START FROM TO ID CSEQ "\r\n", -EBADMSG, { 0 } },
	{ "no From", START VIA TO ID CSEQ "\r\n", -EBADMSG, { 0 } },
	{ "no To", START VIA FROM ID CSEQ "\r\n", -EBADMSG, { 0 } },
	{ "no Call-ID", START VIA FROM TO CSEQ "\r\n", -EBADMSG, { 0 } },
	{ "no CSeq", START VIA FROM TO ID "\r\n", -EBADMSG, { 0 } },
	{ "empty Call-ID", START VIA FROM TO "Call-ID:\r\n" CSEQ "\r\n",
	  -EBADMSG, { 0 } },
	{ "empty From", START VIA "From: \r\n" TO ID CSEQ "\r\n", -EBADMSG,
	  { 0 } },
	{ "two Call-IDs", START HEAD "i: 8\r\n\r\n", -EBADMSG, { 0 } },
	{ "two CSeqs", START HEAD CSEQ "\r\n", -EBADMSG, { 0 } },
	{ "two Tos", START HEAD TO "\r\n", -EBADMSG, { 0 } },
	{ "two Call-IDs, the same", START HEAD ID "\r\n", -EBADMSG, { 0 } },
	{ "two Froms", START HEAD FROM "\r\n", -EBADMSG, { 0 } },
	{ "two Content-Types, the same", START HEAD
	  "Content-Type: application/sdp\r\n" BODY(5, "application/sdp")
	  "v=0\r\n", 0, { .sdp = "v=0\r\n" } },
	{ "two Content-Types", START HEAD "Content-Type: text/plain\r\n"
	  BODY(5, "application/sdp") "v=0\r\n", -EBADMSG, { 0 } },
	{ "two Max-Forwards, the same", START HEAD
	  "Max-Forwards: 7\r\nMax-Forwards: 7\r\n\r\n", 0, { 0 } },
	{ "two Content-Encodings, the same", START HEAD "e: identity\r\n"
	  "Content-Encoding: identity\r\n" BODY(5, "application/sdp")
	  "v=0\r\n", 0, { .sdp = "v=0\r\n" } },
	{ "two Max-Forwards", START HEAD
	  "Max-Forwards: 7\r\nMax-Forwards: 8\r\n\r\n", -EBADMSG, { 0 } },
	{ "CSeq of another method", "BYE sip:b SIP/2.0\r\n" HEAD "\r\n",
	  -EBADMSG, { 0 } },
	{ "CSeq 2^31 - 1", START VIA FROM TO ID "CSeq: 2147483647 INVITE\r\n"
	  "\r\n", 0, { .cseq = 2147483647 } },
	{ "CSeq 2^31", START VIA FROM TO ID "CSeq: 2147483648 INVITE\r\n\r\n",
	  -EBADMSG, { 0 } },
	{ "CSeq 2^32 + 9", START VIA FROM TO ID
	  "CSeq: 4294967305 INVITE\r\n\r\n", -EBADMSG, { 0 } },
	{ "CSeq -1", START VIA FROM TO ID "CSeq: -1 INVITE\r\n\r\n", -EBADMSG,
	  { 0 } },
	{ "CSeq without a method", START VIA FROM TO ID "CSeq: 9\r\n\r\n",
	  -EBADMSG, { 0 } },
	{ "Max-Forwards 255", START HEAD "Max-Forwards: 255\r\n\r\n", 0,
	  { 0 } },
	{ "Max-Forwards 256", START HEAD "Max-Forwards: 256\r\n\r\n", -EBADMSG,
	  { 0 } },
	{ "a line without a colon", START HEAD "Nonsense\r\n\r\n", -EBADMSG,
	  { 0 } },
	{ "a header name with a blank", START HEAD "A B: c\r\n\r\n", -EBADMSG,
	  { 0 } },
	{ "an empty header name", START HEAD ": c\r\n\r\n", -EBADMSG, { 0 } },
	{ "a carriage return alone", START HEAD "X: a\rb\r\n\r\n", -EBADMSG,
	  { 0 } },
	{ "other headers may be strange", START HEAD
	  "Date: yesterday\r\nContact: \"<<>>;;\r\nWarning:\r\nSubject: \xff\r\n"
	  "Authorization: ,,,\r\nRetry-After: 99999999999999999999\r\n\r\n", 0,
	  { 0 } },
	{ "no blank line", START HEAD, -EBADMSG, { 0 } },
	{ "nothing", "", -EBADMSG, { 0 } },
	{ "line ends alone", "\r\n\r\n", -EBADMSG, { 0 } },

	{ "SDP", START HEAD BODY(5, "application/sdp") "v=0\r\n", 0,
	  { .sdp = "v=0\r\n" } },
	{ "SDP, parameters and case", START HEAD
	  BODY(5, "Application/SDP ; charset=utf-8") "v=0\r\n", 0,
	  { .sdp = "v=0\r\n" } },
	{ "bytes behind the body", START HEAD BODY(5, "application/sdp")
	  "v=0\r\nINVITE", 0, { .sdp = "v=0\r\n" } },
	{ "no Content-Length: all the rest", START HEAD
	  "Content-Type: application/sdp\r\n\r\nv=0\r\na=x", 0,
	  { .sdp = "v=0\r\na=x" } },
	{ "no Content-Type, but SDP", START HEAD
	  "Content-Length: 5\r\n\r\nv=0\r\n", 0, { .sdp = "v=0\r\n" } },
	{ "no Content-Type, no SDP", START HEAD
	  "Content-Length: 5\r\n\r\nhello", 0, { 0 } },
	{ "another body", START HEAD BODY(5, "text/plain") "v=0\r\n", 0,
	  { 0 } },
	{ "packed body", START HEAD "Content-Encoding: gzip\r\n"
	  BODY(5, "application/sdp") "v=0\r\n", 0, { 0 } },
	{ "body not packed", START HEAD "e: identity\r\n"
	  BODY(5, "application/sdp") "v=0\r\n", 0, { .sdp = "v=0\r\n" } },
	{ "Content-Length 0", START HEAD BODY(0, "application/sdp") "v=0\r\n",
	  0, { 0 } },
	{ "Content-Length one too many", START HEAD BODY(6, "application/sdp")
	  "v=0\r\n", -EBADMSG, { 0 } },
	{ "Content-Length -1", START HEAD BODY(-1, "application/sdp")
	  "v=0\r\n", -EBADMSG, { 0 } },
	{ "Content-Length 2^32 + 5", START HEAD
	  BODY(4294967301, "application/sdp") "v=0\r\n", -EBADMSG, { 0 } },
	{ "Content-Length 1e30", START HEAD
	  BODY(1000000000000000000000000000000, "application/sdp") "v=0\r\n",
	  -EBADMSG, { 0 } },
	{ "Content-Length +5", START HEAD BODY(+5, "application/sdp")
	  "v=0\r\n", -EBADMSG, { 0 } },
	{ "Content-Length empty", START HEAD BODY(, "application/sdp")
	  "v=0\r\n", -EBADMSG, { 0 } },
	{ "two Content-Lengths", START HEAD "Content-Length: 5\r\n"
	  BODY(5, "application/sdp") "v=0\r\n", -EBADMSG, { 0 } },

	{ "CUBE's recorded parties", START HEAD
	  "X-Cisco-Recording-Participant: sip:1@x;media-index=\"0\"\r\n"
	  "x-cisco-recording-participant:sip:2@x;media-index=\"1\"\r\n\r\n", 0,
	  { .recorded = "sip:1@x;media-index=\"0\",sip:2@x;media-index=\"1\"" }
	},
	{ "Session-ID, twice", START HEAD "session-id: ab;remote=cd\r\n"
	  "Session-ID: ef\r\n\r\n", 0, { .session_id = "ab;remote=cd" } },
	{ "Require: siprec", START HEAD "Require: siprec\r\n\r\n", 0,
	  { .siprec = true } },
	{ "Require: a list", START HEAD "Require: 100rel , SIPREC\r\n\r\n", 0,
	  { .siprec = true } },
	{ "Require: siprec, then another", START HEAD
	  "Require: siprec\r\nRequire: x\r\nContact: <sip:a>\r\n\r\n", 0,
	  { .siprec = true } },
	{ "Contact with +sip.src, then another", START HEAD
	  "m: <sip:a>;+sip.src\r\nm: <sip:b>\r\nRequire: x\r\n\r\n", 0,
	  { .siprec = true } },
	{ "Require: another", START HEAD "Require: siprecx\r\n\r\n", 0,
	  { 0 } },
	{ "Contact with +sip.src", START HEAD
	  "m: <sip:src@h>;x=1;+sip.src\r\n\r\n", 0, { .siprec = true } },
	{ "Contact with +sip.src in the brackets", START HEAD
	  "m: \"A\" <sip:src@h;x=1;+sip.src>\r\n\r\n", 0, { .siprec = true } },
	{ "Contact with ;src", START HEAD "Contact:<sip:a@h>;src\r\n\r\n", 0,
	  { .siprec = true } },
	{ "Contact without", START HEAD "m: <sip:sip.src@h>\r\n\r\n", 0,
	  { 0 } },
	{ "Contact with ;src in the brackets (Webex)", START HEAD
	  "Contact: <sip:h;transport=TLS;src>\r\n\r\n", 0,
	  { .siprec = true } },
	{ "Contact that speaks of src otherwise", START HEAD
	  "m: <sip:src;srcx@h;src=1>;srcx;x=src\r\n\r\n", 0, { 0 } },
	{ "Contact whose bracket is never closed (Metaswitch)", START HEAD
	  "Contact: <sip:1@h:5060;+sip.src\r\n\r\n", 0, { .siprec = true } },
	{ "metadata alone", START HEAD
	  BODY(4, "application/rs-metadata+xml") "<a/>", 0,
	  { .siprec = true, .metadata = "<a/>" } },
	{ "multipart", START HEAD MIXED "pre\r\n--b1\r\n"
	  "Content-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b1\r\n"
	  "Content-Type: application/rs-metadata\r\n\r\n<a/>\r\n--b1--\r\n",
	  0, { .siprec = true, .sdp = "v=0\r\n", .metadata = "<a/>" } },
	{ "multipart, two of each and another", START HEAD MIXED "--b1\r\n"
	  "Content-Type:application/gtd\r\n\r\nIAM,\r\n--b1\r\n"
	  "Content-Type:application/RS-metadata\r\n\r\n<a/>\r\n--b1\r\n"
	  "Content-Type:application/rs-metadata+xml\r\n\r\n<b/>\r\n--b1\r\n"
	  "Content-Type:application/sdp\r\n\r\nv=0\r\n--b1\r\n"
	  "Content-Type:application/sdp\r\n\r\nv=1\r\n--b1--\r\n",
	  0, { .siprec = true, .sdp = "v=0", .metadata = "<a/>" } },
	{ "multipart, metadata first", START HEAD MIXED "--b1\r\n"
	  "Content-Type: application/rs-metadata+xml\r\n\r\n<a/>\r\n--b1\r\n"
	  "content-type : application/sdp;a=b\r\n\r\nv=0\r\n--b1--", 0,
	  { .siprec = true, .sdp = "v=0", .metadata = "<a/>" } },
	{ "multipart, quoted boundary", START HEAD
	  "Content-Type: multipart/mixed; boundary=\"b 1\"\r\n\r\n--b 1\r\n"
	  "Content-Type: application/sdp\r\n\r\nv=0\r\n--b 1--\r\n", 0,
	  { .sdp = "v=0" } },
	{ "multipart without a boundary", START HEAD
	  BODY(4, "multipart/mixed") "--b1", -EBADMSG, { 0 } },
	{ "multipart, a boundary of nothing", START HEAD
	  BODY(4, "multipart/mixed;boundary") "--b1", -EBADMSG, { 0 } },
	{ "multipart, a boundary that is cut off", START HEAD
	  BODY(4, "multipart/mixed;boundary=") "--b1", -EBADMSG, { 0 } },
	{ "multipart, empty boundary", START HEAD
	  BODY(4, "multipart/mixed;boundary=\"\"") "--b1", -EBADMSG, { 0 } },
	{ "multipart, nothing in it", START HEAD MIXED "hello", 0, { 0 } },
	{ "multipart, nine parts", START HEAD MIXED "--b1\n\n\n--b1\n\n\n--b1\n"
	  "\n\n--b1\n\n\n--b1\n\n\n--b1\n\n\n--b1\n\n\n--b1\n\n\n--b1\n\n\n",
	  -EMSGSIZE, { 0 } },
};

static int parse(struct sip_message **out, const char *text, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);

	assert_non_null(exact);
	memcpy(exact, text, len);
	const int err = sip_parse(out, exact, len);

	free(exact);
	return err;
}

static const char *or(const char *text, const char *usual)
{
	return text ? text : usual;
}

static void check(const struct sip_message *m, const struct sip_message *want)
{
	enum sip_method method = want->method ? want->method : SIP_INVITE;

	if (method == (enum sip_method)-1)
		method = SIP_OTHER;
	assert_int_equal(m->request, !want->status);
	assert_int_equal(m->status, want->status);
	assert_int_equal(m->method, method);
	assert_int_equal(m->cseq, want->cseq ? want->cseq : 9);
	assert_string_equal(m->call_id, or(want->call_id, "7@a.example"));
	assert_string_equal(m->from, or(want->from, "alice@a.example"));
	assert_string_equal(m->from_tag, or(want->from_tag, "f1"));
	assert_string_equal(m->to, or(want->to, "bob@b.example"));
	assert_string_equal(m->to_tag, or(want->to_tag, ""));
	assert_string_equal(m->branch, or(want->branch, "z9hG4bKa"));
	assert_string_equal(m->recorded, or(want->recorded, ""));
	assert_string_equal(m->session_id, or(want->session_id, ""));
	assert_int_equal(m->siprec, want->siprec);
	assert_int_equal(m->sdp_len, strlen(or(want->sdp, "")));
	assert_memory_equal(m->sdp, or(want->sdp, ""), m->sdp_len);
	assert_int_equal(m->metadata_len, strlen(or(want->metadata, "")));
	assert_memory_equal(m->metadata, or(want->metadata, ""),
			    m->metadata_len);
}

static void test_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		struct sip_message *m = NULL;

		print_message("row: %s\n", r->name);
		assert_int_equal(parse(&m, r->text, strlen(r->text)), r->err);
		assert_int_equal(m != NULL, r->err == 0);
		if (m)
			check(m, &r->want);
		sip_free(m);
	}
}

/* Where the datagram ends early, the same or nothing: never another call */
static void test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];

		for (size_t n = 0; n < strlen(r->text); n++) {
			struct sip_message *m = NULL;

			if (parse(&m, r->text, n) == 0 && r->err == 0)
				assert_string_equal(m->call_id,
					or(r->want.call_id, "7@a.example"));
			sip_free(m);
		}
	}
}

static void test_nul_anywhere(void **state)
{
	static const char text[] = START HEAD BODY(5, "application/sdp")
				   "v=0\r\n";
	const size_t head = sizeof(text) - 1 - 5;
	char copy[sizeof(text)];

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		struct sip_message *m = NULL;

		memcpy(copy, text, sizeof(text));
		copy[n] = '\0';
		assert_int_equal(parse(&m, copy, sizeof(text) - 1),
				 n < head ? -EBADMSG : 0);
		sip_free(m);
	}
}

/* Every header we use with values of every awkward length */
static void test_long_values(void **state)
{
	static const struct {
		const char *before, *after;
		bool needed;
	} at[] = {
		{ START HEAD "X: ", "", false },
		{ START HEAD "X", ": a", false },
		{ START HEAD "Contact: ", "", false },
		{ START VIA FROM TO CSEQ "Call-ID: ", "", true },
		{ START VIA TO ID CSEQ "From: <sip:", "@h>;tag=a", true },
		{ START VIA TO ID CSEQ "From: <sip:a@h>;tag=", "", true },
		{ START FROM TO ID CSEQ "Via: SIP/2.0/UDP ", ";branch=a",
		  true },
		{ START HEAD "Content-Type: ", "", false },
		{ START HEAD "Max-Forwards: ", "", true },
	};
	static const size_t lens[] = { 0, 1, 63, 64, 255, 256, 1024, 4096,
				       8192, 65000, 130000, 132000 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(at) * ARRAY_LEN(lens); i++) {
		const size_t k = i / ARRAY_LEN(lens);
		const size_t len = lens[i % ARRAY_LEN(lens)];
		struct sip_message *m = NULL;
		struct buf b = { 0 };

		buf_puts(&b, at[k].before);
		memset(buf_room(&b, len + 1), 'a', len);
		b.len += len;
		buf_puts(&b, at[k].after);
		buf_puts(&b, "\r\n\r\n");
		const int err = parse(&m, buf_str(&b), b.len);

		print_message("row: %s %zu: %d\n", strrchr(at[k].before, '\n'),
			      len, err);
		if (len >= 8192)
			assert_int_equal(err, -EMSGSIZE);
		else if (!at[k].needed)
			assert_int_equal(err, 0);
		else if (strstr(at[k].before, "Call-ID: ") && k == 3 && len) {
			assert_int_equal(err, 0);
			assert_int_equal(strlen(m->call_id), len);
		}
		sip_free(m);
		buf_free(&b);
	}
}

static void test_100_headers_and_no_more(void **state)
{
	(void)state;
	for (size_t n = 94; n <= 97; n++) {
		struct sip_message *m = NULL;
		struct buf b = { 0 };

		buf_puts(&b, START HEAD);
		for (size_t i = 0; i < n; i++)
			buf_puts(&b, "Via: SIP/2.0/UDP h\r\n");
		buf_puts(&b, "\r\n");
		assert_int_equal(parse(&m, buf_str(&b), b.len),
				 n + 5 <= 100 ? 0 : -EMSGSIZE);
		sip_free(m);
		buf_free(&b);
	}
}

/* RFC 3261 section 25.1: what a token may be made of */
static void test_characters_of_a_header_name(void **state)
{
	static const char token[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-.!%*_+`'~";

	(void)state;
	for (int c = 1; c < 256; c++) {
		struct sip_message *m = NULL;
		struct buf b = { 0 };
		/* These end the name or the line */
		const bool ends = strchr(":\r\n", c);

		buf_puts(&b, START HEAD "X");
		buf_add(&b, &(char){ (char)c }, 1);
		buf_puts(&b, "Y: v\r\n\r\n");
		const int err = parse(&m, buf_str(&b), b.len);

		if (!ends)
			assert_int_equal(err, strchr(token, c) ? 0 : -EBADMSG);
		sip_free(m);
		buf_free(&b);
	}
}

/* libosip2 prints errors on stdout as long as nobody stops it */
static void test_nothing_is_printed(void **state)
{
	struct sip_message *m = NULL;
	char path[] = "/tmp/test_sip.XXXXXX";
	const int file = mkstemp(path);
	const int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);

	(void)state;
	assert_true(file >= 0 && out >= 0 && err >= 0);
	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	dup2(file, STDERR_FILENO);
	const int got = parse(&m, START VIA "From: \"A <sip:a@b>\r\n" TO ID
			      CSEQ "\r\n",
			      strlen(START VIA "From: \"A <sip:a@b>\r\n" TO ID
				     CSEQ "\r\n"));

	fflush(stdout);
	fflush(stderr);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	const off_t printed = lseek(file, 0, SEEK_END);

	close(file);
	close(out);
	close(err);
	unlink(path);
	assert_int_equal(got, -EBADMSG);
	assert_int_equal(printed, 0);
}

static void test_what_looks_like_sip(void **state)
{
	static const struct {
		const char *text;
		bool looks;
	} texts[] = {
		{ "INVITE sip:b SIP/2.0\r\n", true },
		{ "INVITE sip:b", true },
		{ "BYE sips:b", true },
		{ "INVITE tel:+1", true },
		{ "OPTIONS x:y SIP/2.0\r\n", true },
		{ "OPTIONS x:y SIP/2.0\n", true },
		{ "SIP/2.0 200 OK\r\n", true },
		{ "SIP/2.0 2", true },
		{ "SIP/2.0 ", true },
		{ "AZA sip:", true },
		{ "AZA sips:", true },
		{ "\r\n\r\nSIP/2.0 200 OK\r\n", true },
		{ "", false },
		{ "\r\n", false },
		{ "SIP/2.0", false },
		{ "INVITE", false },
		{ "INVITE sip", false },
		{ "IN sip:b SIP/2.0\r\n", false },
		{ "GET / HTTP/1.1\r\n", false },
		{ "OPTIONS x:y SIP/2.0", false },
		{ "OPTIONS x:ySIP/2.0\r\n", false },
		{ "HTTP/1.1 200 OK\r\n", false },
		{ "\x80\x00INVITE sip:b SIP/2.0\r\n", false },
		{ "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA sip:b", false },
		{ "v=0\r\n", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const size_t len = strlen(texts[i].text);
		uint8_t *exact = malloc(len ? len : 1);

		print_message("row: %s\n", texts[i].text);
		memcpy(exact, texts[i].text, len);
		assert_int_equal(sip_looks_like(exact, len), texts[i].looks);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_printed),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_nul_anywhere),
		cmocka_unit_test(test_long_values),
		cmocka_unit_test(test_100_headers_and_no_more),
		cmocka_unit_test(test_characters_of_a_header_name),
		cmocka_unit_test(test_what_looks_like_sip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
