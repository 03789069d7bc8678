/** @file app_probe.h  --probe: try one asr, phase by phase */
#pragma once

#include "daemon/cfg/config.h"

/**
 * One line a phase on stdout, with its time, and on failure what to do: DNS,
 * TCP, TLS, upgrade, a second of tone, the first answer.
 *
 * @return the exit code
 */
int app_probe(const char *name, const struct config *c);
