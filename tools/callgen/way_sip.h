/** @file way_sip.h  SIP calls: what the loop and the ways share */
#pragma once

#include "tools/callgen/gen.h"

/** @return 0 or an exit code, said on stderr */
int way_sip_open(struct gen *g);
void way_sip_close(struct gen *g);
