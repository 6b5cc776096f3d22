# etcd-registry: the preload object, the command that is also the agent, and the library.
#
# Build
#   make              build the preload object, etcd-registry and libetcd-registry in build/
#   make preload32    build the object for 32-bit programs on x86-64 in build/i386/ (gcc-multilib)
#   make install      install everything; PREFIX=/usr/local DESTDIR=
#   make uninstall    remove the installed files, with the same PREFIX and DESTDIR
#   make clean        remove build/
#   make compile_commands.json   write it for editors and clang's tools
#
# Test
#   make check        run unit tests and gates, in seconds: for every change
#   make unit         run the unit tests; UNIT="reconcile watch": only those; TEST='*lease*'
#   make unit-san     the same with AddressSanitizer and UndefinedBehaviorSanitizer, and the corpora
#   make unit-tsan    the same with ThreadSanitizer, two minutes
#   make lint         run the gates on the sources and on build/
#   make e2e          run the end-to-end tests; E2E_JOBS=4
#   make test         install missing packages, build, run lint, unit, unit-san and e2e (scripts/test)
#   make analyse      run clang-tidy and cppcheck, some minutes
#   make fuzz         run each fuzz target for ten minutes; FUZZ="connstr names" FUZZ_SECONDS=60
#   make test-hosts   register many programs of Debian, and run the slow tests, some minutes
#   make test-etcds   test the client against the etcd of each Debian release
#   make test-distros test the object in four Debian releases, ten minutes the first time
#
# Show
#   make demo         show the product on three real servers
#   make bench        measure it and its alternatives, into build/bench; BENCH=exec,listen
#   make help         print this list
#
# You may set CC, CFLAGS and LDFLAGS.  DEV=1 turns warnings into errors.  V=1 shows the commands.
# SAN=address,undefined builds into build/address,undefined.

VERSION := $(shell sed -n 's/^\#define ETCDREG_VERSION "\(.*\)"/\1/p' lib/etcd-registry.h)
# Before 1.0 a minor version may break programs, so the soname contains it: 0.2.
SOVERSION := $(if $(filter 0.%,$(VERSION)),$(basename $(VERSION)),$(firstword $(subst ., ,$(VERSION))))

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man

# The value of $LIB in LD_PRELOAD, from the loader itself: loader_lib(LOADER,DEFAULT).
loader_lib = $(or $(shell $(1) --list-diagnostics 2>/dev/null | sed -n 's/^dl_dst_lib="\(.*\)"/\1/p'),$(2))
LIB64 ?= $(call loader_lib,/lib64/ld-linux-x86-64.so.2,lib64)
LIB32 ?= $(call loader_lib,/lib/ld-linux.so.2,lib32)

ifdef SAN
B := build/$(SAN)
SAN_FLAGS := -fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer
else
B ?= build
endif

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wvla -Wformat=2 -Wundef
ifdef DEV
WARNINGS += -Werror
endif

PKGS := libcurl libcjson libcrypto
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

# need(FOUND,TOOL,PURPOSE): if FOUND is empty, names the missing TOOL and ends make.
need = $(if $(1),,$(error missing: $(2); run 'scripts/bootstrap $(3)'))
HAS_CC := $(shell command -v $(firstword $(CC)))
NEEDS = $(call need,$(HAS_CC),$(firstword $(CC)),build)$(call need,$(PKG_LIBS),pkg-config or one of $(PKGS),build)

ALL_CFLAGS = -std=gnu11 $(WARNINGS) -fvisibility=hidden -fPIC -pthread -iquote . $(PKG_CFLAGS) $(SAN_FLAGS) $(CFLAGS)$(NEEDS)

# The object runs in hosts, so it is built without libc: no DT_NEEDED, fortify, stack protector or builtin calls.  It has
# no lazy binding stubs, as a symbol may not exist.  It takes parse.c from lib/; the linker drops the unused functions.
SHIM_CFLAGS = $(call need,$(HAS_CC),$(firstword $(CC)),build)-std=gnu11 $(WARNINGS) -iquote . -O2 -g -fPIC -ffreestanding -fvisibility=hidden -fno-plt -fno-stack-protector \
	-U_FORTIFY_SOURCE -fno-asynchronous-unwind-tables -ffunction-sections -DBINDIR='"$(BINDIR)"'
SHIM_LDFLAGS = -shared -nostdlib -Wl,--gc-sections -Wl,--sort-section=name -Wl,--version-script=shim/shim.map -Wl,-Bsymbolic -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,noseparate-code \
	-Wl,-z,nodelete -Wl,-soname,libetcd-registry-preload.so -Wl,--build-id=sha1

LIB_OBJS := $(patsubst %.c,$(B)/obj/%.o,$(wildcard lib/*/*.c))
AGENT_OBJS := $(patsubst %.c,$(B)/obj/%.o,$(wildcard agent/*.c agent/*/*.c))
CLI_OBJS := $(patsubst %.c,$(B)/obj/%.o,$(wildcard cli/*.c))
SHIM_OBJS := $(patsubst %.c,$(B)/obj/%.o,$(wildcard shim/*.c)) $(B)/obj/shim/lib/base/parse.o
UNIT_TESTS := $(patsubst tests/unit/test_%.c,$(B)/unit/test_%,$(wildcard tests/unit/test_*.c))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,$(B)/fuzz/fuzz_%,$(wildcard tests/fuzz/fuzz_*.c))
HOSTS := $(patsubst tests/hosts/%.c,$(B)/hosts/%,$(wildcard tests/hosts/*.c))
HOST_LIBRARIES := $(patsubst tests/hosts/preload/%.c,$(B)/hosts/preload/%.so,$(wildcard tests/hosts/preload/*.c))
BENCH_HOSTS := $(patsubst bench/%.c,$(B)/bench/%,$(wildcard bench/*.c))
BENCH_OBJECTS := $(patsubst bench/preload/%.c,$(B)/bench/preload/%.so,$(wildcard bench/preload/*.c))
MUSL_HOSTS := $(if $(shell command -v musl-gcc),$(B)/hosts-musl/listener)

# 32-bit programs need their own object.  gcc-multilib has the crt1.o that links hosts.
CC32 ?= $(CC) -m32
HOSTS32 := $(if $(wildcard /usr/lib32/crt1.o),preload32 $(B)/hosts-i386/listener)

SHIM := $(B)/libetcd-registry-preload.so
SHIM32 := $(B)/i386/libetcd-registry-preload.so
BIN := $(B)/etcd-registry
LIB_A := $(B)/libetcd-registry.a
LIB_SO := $(B)/libetcd-registry.so

Q = $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)';)

.PHONY: all preload32 install uninstall clean compile_commands.json check unit unit-san unit-tsan \
	lint e2e test analyse fuzz test-hosts test-etcds test-distros demo bench help
# Targets for the scripts.
.PHONY: hosts unit-programs fuzzers bench-hosts cflags shim-cflags
.DELETE_ON_ERROR:
.SECONDARY:

all: $(if $(SAN),$(BIN) $(LIB_A),$(SHIM) $(BIN) $(LIB_A) $(LIB_SO))

$(B)/obj/shim/lib/%.o: lib/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$< (shim))$(CC) $(SHIM_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/shim/%.o: shim/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(SHIM_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(CLI_OBJS): ALL_CFLAGS += -DLIBDIR='"$(LIBDIR)"' -DBINDIR='"$(BINDIR)"'

$(B)/obj/tests/unit/%.o: NEEDS += $(call need,$(shell pkg-config --exists cmocka 2>/dev/null && echo yes),cmocka,test)

# Prints the flags that the linters compile with.
cflags: ALL_CFLAGS += -DLIBDIR='"$(LIBDIR)"' -DBINDIR='"$(BINDIR)"'
cflags shim-cflags:
	@:$(info $(if $(filter cflags,$@),$(ALL_CFLAGS),$(SHIM_CFLAGS)))

$(SHIM): $(SHIM_OBJS) shim/shim.map
	$(call say,LD,$@)$(CC) $(SHIM_LDFLAGS) -o $@ $(SHIM_OBJS) -lgcc

preload32:
	$(Q)$(MAKE) --no-print-directory B=$(B)/i386 CC='$(CC32)' $(SHIM32)

$(LIB_A): $(LIB_OBJS)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(LIB_SO): $(LIB_OBJS) lib/etcd-registry.map
	$(call say,LD,$@)$(CC) -shared -pthread $(LDFLAGS) -Wl,--version-script=lib/etcd-registry.map -Wl,-z,defs \
		-Wl,-soname,libetcd-registry.so.$(SOVERSION) -o $@ $(LIB_OBJS) $(PKG_LIBS)

$(BIN): $(CLI_OBJS) $(AGENT_OBJS) $(LIB_A)
	$(call say,LD,$@)$(CC) -pthread $(SAN_FLAGS) $(LDFLAGS) -o $@ $(CLI_OBJS) $(AGENT_OBJS) $(LIB_A) $(PKG_LIBS)

# A unit test uses internal functions, so it links the static library and the agent's objects.
$(B)/unit/test_%: $(B)/obj/tests/unit/test_%.o $(AGENT_OBJS) $(LIB_A)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -pthread $(SAN_FLAGS) $(LDFLAGS) -o $@ $^ $(PKG_LIBS) -lcmocka

# This test sets the clock: tests/unit/fake_clock.h.
$(B)/unit/test_reconcile: LDFLAGS += -Wl,--wrap=clock_gettime

# This test makes libcurl refuse options.
$(B)/unit/test_http: LDFLAGS += -Wl,--wrap=curl_easy_setopt
# This test acts between two looks of the agent.
$(B)/unit/test_permission: LDFLAGS += -Wl,--wrap=holders_ask

# A fuzz target may include a .c file to reach inside it.  From an archive it links the other objects alone.  Without
# libFuzzer it replays its corpus.
$(B)/fuzz/agent.a: $(AGENT_OBJS)
	@mkdir -p $(@D)
	$(call say,AR,$@)rm -f $@ && $(AR) rcs $@ $^

$(B)/fuzz/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(if $(findstring fuzzer,$(SAN)),,$(B)/obj/tests/fuzz/replay.o) $(B)/fuzz/agent.a $(LIB_A)
	@mkdir -p $(@D)
	$(call say,LD,$@)$(CC) -pthread $(SAN_FLAGS) $(if $(findstring fuzzer,$(SAN)),-fsanitize=fuzzer) $(LDFLAGS) -o $@ $^ $(PKG_LIBS)

$(B)/hosts/%: tests/hosts/%.c tests/hosts/host.h Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -std=gnu11 $(WARNINGS) -O1 -g -pthread -rdynamic -o $@ $<

$(B)/hosts/preload/%.so: tests/hosts/preload/%.c tests/hosts/host.h Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -std=gnu11 $(WARNINGS) -O1 -g -fPIC -shared -o $@ $<

$(B)/bench/%: bench/%.c tests/hosts/host.h $(LIB_A) Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -std=gnu11 $(WARNINGS) -O2 -g -pthread -iquote . -iquote tests/hosts -o $@ $< $(LIB_A) $(PKG_LIBS)

$(B)/bench/preload/%.so: bench/preload/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)$(CC) -std=gnu11 $(WARNINGS) -O2 -g -fPIC -fvisibility=hidden -pthread -shared -o $@ $< $(BENCH_LIBS)

$(B)/bench/preload/obvious.so: BENCH_LIBS = $(PKG_LIBS)

$(B)/hosts-musl/%: tests/hosts/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)musl-gcc -std=gnu11 -O1 -g -o $@ $<

$(B)/hosts-i386/%: tests/hosts/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC32) -std=gnu11 -O1 -g -o $@ $<

$(B)/hosts-static/%: tests/hosts/%.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$@)$(CC) -std=gnu11 -O1 -g -static -o $@ $<

hosts: $(HOSTS) $(HOST_LIBRARIES) $(B)/hosts-static/listener $(MUSL_HOSTS) $(HOSTS32)

bench-hosts: $(BENCH_HOSTS) $(BENCH_OBJECTS)

# UNIT="reconcile watch" selects programs, TEST='*lease*' selects tests.
UNIT_PROGRAMS = $(if $(UNIT),$(UNIT:%=$(B)/unit/test_%),$(UNIT_TESTS) $(if $(findstring address,$(SAN)),$(FUZZERS)))
unit-programs: $(UNIT_PROGRAMS)

unit: $(UNIT_PROGRAMS)
	$(Q)TEST='$(TEST)' scripts/run-unit $^

check: $(UNIT_PROGRAMS) | all
	$(Q)scripts/check $^

unit-san:
	$(Q)$(MAKE) --no-print-directory SAN=address,undefined unit

unit-tsan:
	$(Q)$(MAKE) --no-print-directory SAN=thread unit

fuzzers: $(FUZZERS)

fuzz:
	$(Q)scripts/run-fuzz $(FUZZ)

lint:
	$(Q)scripts/lint

analyse:
	$(Q)scripts/analyse

e2e: all hosts
	$(Q)scripts/run-e2e

test:
	$(Q)scripts/test

test-hosts:
	$(Q)scripts/test-hosts

test-distros:
	$(Q)scripts/test-distros

test-etcds:
	$(Q)scripts/test-etcds

demo:
	$(Q)scripts/demo

bench:
	$(Q)scripts/bench $(BENCH)

# If the 32-bit object is built, one path finds both objects: $(PREFIX)/$$LIB/libetcd-registry-preload.so.
define install_both
install -d $(DESTDIR)$(PREFIX)/$(LIB64) $(DESTDIR)$(PREFIX)/$(LIB32)
	install -m 755 $(SHIM32) $(DESTDIR)$(PREFIX)/$(LIB32)/
	[ $(DESTDIR)$(PREFIX)/$(LIB64) -ef $(DESTDIR)$(LIBDIR) ] || \
		ln -sfr $(DESTDIR)$(LIBDIR)/$(notdir $(SHIM)) $(DESTDIR)$(PREFIX)/$(LIB64)/
endef

install: all $(if $(wildcard $(SHIM32)),preload32)
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR) $(DESTDIR)$(MANDIR)/man1
	install -m 755 $(BIN) $(DESTDIR)$(BINDIR)/
	install -m 755 $(SHIM) $(DESTDIR)$(LIBDIR)/
	$(if $(wildcard $(SHIM32)),$(install_both))
	install -m 644 $(LIB_A) $(DESTDIR)$(LIBDIR)/
	install -m 755 $(LIB_SO) $(DESTDIR)$(LIBDIR)/libetcd-registry.so.$(VERSION)
	ln -sf libetcd-registry.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libetcd-registry.so.$(SOVERSION)
	ln -sf libetcd-registry.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libetcd-registry.so
	install -m 644 lib/etcd-registry.h $(DESTDIR)$(INCLUDEDIR)/
	sed -e 's|@PREFIX@|$(PREFIX)|; s|@LIBDIR@|$(LIBDIR)|; s|@INCLUDEDIR@|$(INCLUDEDIR)|; s|@VERSION@|$(VERSION)|' \
		lib/etcd-registry.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/etcd-registry.pc
	install -m 644 docs/etcd-registry.1 $(DESTDIR)$(MANDIR)/man1/

# For editors and clang's tools.  A dry run of make has every compiler command.
compile_commands.json:
	$(Q)mkdir -p $(B)
	$(Q)$(MAKE) --no-print-directory --always-make --dry-run V=1 Q= all $(UNIT_TESTS) > $(B)/dry-run
	$(Q)scripts/compile-commands < $(B)/dry-run > $(B)/$@
	$(Q)mv $(B)/$@ $@

help:
	@sed -n '/^# Build/,/^$$/ s/^# \?//p' $(firstword $(MAKEFILE_LIST))

# Removes the files of `make install`, and no folder.
uninstall:
	rm -f $(DESTDIR)$(BINDIR)/$(notdir $(BIN)) $(DESTDIR)$(LIBDIR)/$(notdir $(SHIM)) \
		$(DESTDIR)$(PREFIX)/$(LIB64)/$(notdir $(SHIM)) $(DESTDIR)$(PREFIX)/$(LIB32)/$(notdir $(SHIM)) \
		$(DESTDIR)$(LIBDIR)/$(notdir $(LIB_A)) $(DESTDIR)$(LIBDIR)/libetcd-registry.so \
		$(DESTDIR)$(LIBDIR)/libetcd-registry.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libetcd-registry.so.$(VERSION) \
		$(DESTDIR)$(LIBDIR)/pkgconfig/etcd-registry.pc $(DESTDIR)$(INCLUDEDIR)/etcd-registry.h \
		$(DESTDIR)$(MANDIR)/man1/etcd-registry.1

clean:
	rm -rf build compile_commands.json

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
