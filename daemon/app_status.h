/** @file app_status.h  What an operator sees first: one screen */
#pragma once

#include "daemon/core.h"
#include "daemon/ops/control.h"
#include "daemon/ops/problems.h"

/** Into the answer's body: asrs, legs, journal, subscribers, problems. */
void app_status(const struct core *x, const struct problems *p,
		struct answer *a);
