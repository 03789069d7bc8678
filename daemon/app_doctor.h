/** @file app_doctor.h  Looks at the machine for ops/doctor.h */
#pragma once

#include "daemon/core.h"
#include "daemon/ops/control.h"

/** doctor: every check, with what is wrong and its fix. */
void app_doctor(const struct core *x, const struct status *s, struct answer *a);
