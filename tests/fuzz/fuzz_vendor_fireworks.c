/** @file fuzz_vendor_fireworks.c  See vendor.h */
#define FUZZ_VENDOR "fireworks"
#include "tests/fuzz/vendor.h"
