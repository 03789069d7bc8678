/** @file fuzz_vendor_deepgram.c  See vendor.h */
#define FUZZ_VENDOR "deepgram"
#include "tests/fuzz/vendor.h"
