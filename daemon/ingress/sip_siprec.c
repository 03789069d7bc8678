/** @file sip_siprec.c  What a recording client says besides the audio */
#include "daemon/ingress/sip_siprec.h"

void sip_siprec_begin(struct sip_call *c, const struct sip_request *r,
		      struct sip_identity *out)
{
	(void)out;
	c->siprec = r->m->siprec;
}

void sip_siprec_leg(const struct sip_call *c, unsigned line,
		    struct leg_info *info)
{
	(void)c;
	(void)line;
	(void)info;
}

void sip_siprec_update(struct sip_call *c, const struct sip_request *r)
{
	(void)c;
	(void)r;
}

void sip_siprec_end(struct sip_call *c)
{
	(void)c;
}
