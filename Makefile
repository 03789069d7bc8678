# Trunkscribe.  `make` builds into build/; README.md names the other targets.
#
# The directories are the registries: a codec is codecs/codec_<name>.c, an ASR
# vendor daemon/asr/vendor_<name>.c, a way in daemon/ingress/way_<name>.c, a
# program tools/<program>/main.c, a test tests/unit/<dir>/test_<file>.c.

B       ?= build
ifeq ($(origin CC),default)
CC      := gcc
endif
OPT     ?= -O2 -g
SAN     ?=
WERROR  ?= -Werror
PREFIX  ?= /usr/local
VERSION := 0.1.0

# no compiler yet (before `make deps`): the kernel's word for it
ARCH := $(shell $(CC) -dumpmachine 2>/dev/null | cut -d- -f1)
ARCH := $(or $(ARCH),$(shell uname -m))

WARN := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wvla -Wstrict-prototypes \
        -Wmissing-prototypes -Wpointer-arith -Wformat=2 -Wundef $(WERROR)
# reference: Debian's hardening defaults; fortification needs optimisation and
# quarrels with the sanitizers
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE \
          $(if $(filter x86_64 i686,$(ARCH)),-fcf-protection) \
          $(if $(SAN),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
LINK   := -pie -Wl,-z,relro,-z,now
SANF   := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)

CPPFLAGS += -D_GNU_SOURCE -DTRUNKSCRIBE_VERSION='"$(VERSION)"' -I. -I$(B)
# clang names hardening flags that only compiling uses when it links
WARN += $(if $(findstring clang,$(CC)),-Wno-unused-command-line-argument)
ALL_CFLAGS = -std=c11 $(OPT) $(WARN) $(HARDEN) $(SANF) $(CPPFLAGS) $(CFLAGS)
LDLIBS   += -luv -ljansson -lpcap -lwslay -lhttp_parser -lmbedtls -lmbedx509 -lmbedcrypto \
            -lmicrohttpd -losipparser2 -lexpat -lsrtp2 -lconfuse -lspandsp -lspeexdsp \
            -lz -lm -lpthread

# Kernels with instructions of their own, each only where the machine has them.
KERNELS_x86_64  := g711_avx2 g711_avx512
KERNELS_aarch64 := g711_neon
KERNELS := $(KERNELS_$(ARCH))
OTHERS  := $(filter-out $(KERNELS),$(KERNELS_x86_64) $(KERNELS_aarch64))
%/codecs/g711_avx2.o:   CFLAGS += -mavx2
%/codecs/g711_avx512.o: CFLAGS += -mavx512f -mavx512bw -mavx512vl

SRCS  := $(filter-out $(OTHERS:%=codecs/%.c),$(wildcard codecs/*.c)) \
         $(wildcard daemon/*/*.c) $(filter-out daemon/main.c,$(wildcard daemon/*.c))
OBJS  := $(SRCS:%.c=$(B)/%.o)
TOOLS := $(patsubst tools/%/main.c,%,$(wildcard tools/*/main.c))
TESTS := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*/test_*.c))
BENCHES := $(patsubst tests/bench/%.c,$(B)/bench/%,$(wildcard tests/bench/bench_*.c))

CODECS  := $(sort $(patsubst codecs/codec_%.c,%,$(wildcard codecs/codec_*.c)))
VENDORS := $(sort $(patsubst daemon/asr/vendor_%.c,%,$(wildcard daemon/asr/vendor_*.c)))
WAYS    := $(sort $(patsubst daemon/ingress/way_%.c,%,$(wildcard daemon/ingress/way_*.c)))
DIALECTS := $(sort $(patsubst tools/asr-sim/dialect_%.c,%,$(wildcard tools/asr-sim/dialect_*.c)))

all: $(B)/trunkscribed $(TOOLS:%=$(B)/%)

# $(call list,FILE,NAMES): rewritten only when the names change
define list
$(B)/$(1): FORCE
	@mkdir -p $(B); printf '%s\n' $(foreach n,$(2),'X($(n))') | cmp -s - $$@ || \
	  printf '%s\n' $(foreach n,$(2),'X($(n))') > $$@
endef
$(eval $(call list,codecs.inc,$(CODECS)))
$(eval $(call list,vendors.inc,$(VENDORS)))
$(eval $(call list,ways.inc,$(WAYS)))
$(eval $(call list,dialects.inc,$(DIALECTS)))
$(B)/codecs/registry.o $(B)/fuzz/codecs/registry.o: $(B)/codecs.inc
$(B)/daemon/asr/registry.o $(B)/fuzz/daemon/asr/registry.o: $(B)/vendors.inc
$(B)/daemon/cfg/check.o $(B)/fuzz/daemon/cfg/check.o: $(B)/vendors.inc
$(B)/daemon/ingress/registry.o $(B)/fuzz/daemon/ingress/registry.o: $(B)/ways.inc
$(B)/daemon/ops/page.o $(B)/fuzz/daemon/ops/page.o: $(wildcard daemon/ops/page/*)
$(B)/tools/asr-sim/registry.o: $(B)/dialects.inc

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

$(B)/libtrunkscribe.a: $(OBJS)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/trunkscribed: $(B)/daemon/main.o $(B)/libtrunkscribe.a
	$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) $^ $(LDLIBS) -o $@

define tool
$(B)/$(1): $$(patsubst %.c,$(B)/%.o,$$(wildcard tools/$(1)/*.c)) $(B)/libtrunkscribe.a
	$$(CC) $$(ALL_CFLAGS) $$(LINK) $$(LDFLAGS) $$^ $$(LDLIBS) -o $$@
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$(t))))

$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libtrunkscribe.a
	$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS) \
	  -lcmocka -o $@

# The tests of a tool's parts link the tool, all but its main().
CALLGEN_PARTS := $(patsubst %.c,$(B)/%.o,$(filter-out %/main.c, \
                 $(wildcard tools/callgen/*.c)))
$(patsubst %.c,$(B)/%,$(wildcard tests/unit/callgen/test_*.c)): $(CALLGEN_PARTS)

# A disk that fails when the test wants it to.
$(B)/tests/unit/pub/test_disk: LDFLAGS += \
  -Wl,--wrap=pwrite,--wrap=fsync,--wrap=fdatasync,--wrap=posix_fallocate

unit: $(TESTS)
	@set -e; for t in $(TESTS); do $$t; done

# What tests run beside the daemon.
testtools: $(patsubst %.c,$(B)/%,$(wildcard tests/tools/*.c))
$(B)/tests/tools/%: $(B)/tests/tools/%.o $(B)/libtrunkscribe.a
	$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) $^ $(LDLIBS) -o $@

# The NEON kernel on any machine: cross-compiled, run by qemu-user.
NEON_SRCS := tests/tools/g711.c $(patsubst %,codecs/%.c,\
             codec_pcmu codec_pcma select g711_portable g711_neon)
$(B)/neon/g711: $(NEON_SRCS) codecs/codec.h codecs/g711.h tests/unit/codecs/g711_equal.h
	@mkdir -p $(@D)
	aarch64-linux-gnu-gcc -std=c11 -O2 $(WARN) $(CPPFLAGS) -static $(NEON_SRCS) -o $@

test-neon: $(B)/neon/g711
	qemu-aarch64 $< neon portable

$(B)/bench/%: $(B)/tests/bench/%.o $(B)/libtrunkscribe.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) $(LINK) $(LDFLAGS) $^ $(LDLIBS) -o $@

# Each prints its figures and fails when a limit does not hold.
bench: all $(BENCHES)
	@set -e; for b in $(BENCHES); do $$b; done; \
	for b in tests/bench/bench_*.py; do /usr/bin/python3 $$b $(B); done

# The same tests with everything checked, in a tree of their own.
asan:
	$(MAKE) B=$(B)/asan CC=clang SAN=address,undefined OPT="-O1 -g" all unit

# --- fuzzing: tests/fuzz/fuzz_<name>.c, seeds in tests/fuzz/corpus/<name>/ ----

F       := $(B)/fuzz
FUZZERS := $(patsubst tests/fuzz/%.c,$(F)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_CC := clang -std=c11 -O1 -g -fno-omit-frame-pointer $(WARN) \
           -Wno-unused-command-line-argument \
           -fsanitize=address,undefined -fno-sanitize-recover=all $(CPPFLAGS)

$(F)/%.o: %.c
	@mkdir -p $(@D)
	$(FUZZ_CC) $(CFLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c $< -o $@

$(F)/libtrunkscribe.a: $(SRCS:%.c=$(F)/%.o)
	@rm -f $@
	$(AR) rcs $@ $^

$(F)/fuzz_%: $(F)/tests/fuzz/fuzz_%.o $(F)/libtrunkscribe.a
	$(FUZZ_CC) -fsanitize=fuzzer $^ $(LDLIBS) -o $@

fuzzers: $(FUZZERS)

# --- what a user types ------------------------------------------------------

deps:
	@sh tools/deps.sh build

# Everything: ends by itself, with one line that sums up, and fails when
# anything did.  GROUPS="unit flow" runs those only (tests/run.py has the list).
test:
	@sh tools/deps.sh build test
	@/usr/bin/python3 tests/run.py $(GROUPS)

lint valgrind:
	@/usr/bin/python3 tests/run.py $@

fuzz:
	@sh tools/deps.sh build test
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-300} /usr/bin/python3 tests/run.py fuzz

# The flow tests under the sanitizers, again and again, with 200 random kills of
# connections each time (KILL_SEED says where; it is printed).
SOAK_SECONDS ?= 3600
soak:
	@sh tools/deps.sh build test
	@end=$$(($$(date +%s) + $(SOAK_SECONDS))); \
	while KILLS=$${KILLS:-200} /usr/bin/python3 tests/run.py flow-asan || exit 1; do \
	  [ $$(date +%s) -lt $$end ] || exit 0; done

demo:
	@sh tools/deps.sh build demo
	@echo "building into $(B)/ ..."
	@$(MAKE) -s -j2 all
	@sh tools/demo.sh

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/trunkscribe/siprec \
	  $(DESTDIR)$(PREFIX)/share/trunkscribe/examples \
	  $(DESTDIR)$(PREFIX)/share/doc/trunkscribe $(DESTDIR)$(PREFIX)/lib/systemd/system \
	  $(DESTDIR)$(PREFIX)/lib/sysusers.d
	install -m 755 $(B)/trunkscribed $(TOOLS:%=$(B)/%) $(DESTDIR)$(PREFIX)/bin
	install -m 644 conf/trunkscribe.conf.sample conf/events.schema.json \
	  conf/capture.conf.sample systemd/capture.conf \
	  $(DESTDIR)$(PREFIX)/share/trunkscribe
	install -m 644 conf/examples/*.md $(DESTDIR)$(PREFIX)/share/trunkscribe/examples
	install -m 755 conf/examples/*.py $(DESTDIR)$(PREFIX)/share/trunkscribe/examples
	install -m 644 tools/callgen/siprec/*.txt $(DESTDIR)$(PREFIX)/share/trunkscribe/siprec
	install -m 644 README.md CHANGES.md SECURITY.md LICENSE \
	  $(DESTDIR)$(PREFIX)/share/doc/trunkscribe
	for u in trunkscribed.service trunkscribed-capture.service trunkscribed.socket; do \
	  sed 's|@PREFIX@|$(PREFIX)|g' systemd/$$u \
	    > $(DESTDIR)$(PREFIX)/lib/systemd/system/$$u || exit 1; done
	install -m 644 systemd/trunkscribe.sysusers \
	  $(DESTDIR)$(PREFIX)/lib/sysusers.d/trunkscribe.conf

clean:
	rm -rf $(B)

FORCE:
.PHONY: all unit testtools test-neon bench asan fuzzers deps test lint valgrind fuzz soak demo \
        install clean FORCE
.SECONDARY:
.DELETE_ON_ERROR:

# Not by searching $(B): trees of other builds, perhaps at work now, lie in it.
-include $(OBJS:.o=.d) $(patsubst %.c,$(B)/%.d,$(wildcard daemon/main.c tools/*/*.c \
  tests/unit/*/*.c tests/tools/*.c tests/bench/*.c))
ifneq ($(findstring fuzz,$(MAKECMDGOALS)),)
-include $(SRCS:%.c=$(F)/%.d) $(patsubst %.c,$(F)/%.d,$(wildcard tests/fuzz/*.c))
endif
