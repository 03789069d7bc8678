/** @file fuzz_vendor_camb.c  See vendor.h */
#define FUZZ_VENDOR "camb"
#include "tests/fuzz/vendor.h"
