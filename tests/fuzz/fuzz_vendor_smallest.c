/** @file fuzz_vendor_smallest.c  See vendor.h */
#define FUZZ_VENDOR "smallest"
#include "tests/fuzz/vendor.h"
