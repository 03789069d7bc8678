/** @file fuzz_vendor_bodhi.c  See vendor.h */
#define FUZZ_VENDOR "bodhi"
#include "tests/fuzz/vendor.h"
