/** @file array.h  Counting and comparing, for everybody */
#pragma once

#include <sys/param.h> /* MIN, MAX */

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
