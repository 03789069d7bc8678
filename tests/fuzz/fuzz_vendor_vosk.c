/** @file fuzz_vendor_vosk.c  See vendor.h */
#define FUZZ_VENDOR "vosk"
#include "tests/fuzz/vendor.h"
