# recall-redirectd. `make help` lists the targets.

VERSION := 0.1.0
BUILD    ?= build
PREFIX   ?= /usr/local
PORT     ?= 8080
JOBS     ?= $(shell nproc)

PROGRAM := $(BUILD)/recall-redirectd
# Everything but main.c. Unit tests link it without libmicrohttpd, so that the linker keeps the wall.
ARCHIVE := $(BUILD)/libserver.a

# Every list of files is made by wildcard.
MODULES := $(patsubst %.c,$(BUILD)/%.o,$(wildcard server/*/*.c))
TESTS   := $(patsubst tests/%.c,%,$(wildcard tests/*/check_*.c))
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FAULTS  := $(patsubst tests/wire/fault/%.c,$(BUILD)/fault/%.so,$(wildcard tests/wire/fault/*.c))

# Quiet, unless V=1. BUILDING makes a target that compiles, on all processors.
Q        := $(if $(V),,@)
say       = $(if $(V),,@echo "  $(1)")
BUILDING := @$(MAKE) --no-print-directory -j$(JOBS)

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all deps run check check-run check-asan check-tsan check-valgrind coverage coverage-run smoke lint fmt \
	fmt-check fuzz fuzz-run bench check-bench check-instructions deb check-deb docs dist distcheck release \
	check-release install uninstall clean help
all: $(PROGRAM) ## build the server: build/recall-redirectd

# --- flags: each one is tried beside those before it, because compilers and processors take different ones ---

WARNINGS := -Wall -Wextra -Werror=format -Wformat=2 -Wconversion -Wsign-conversion -Wshadow -Wvla \
	-Wstrict-prototypes -Wmissing-prototypes -Wimplicit-fallthrough -Wtrampolines \
	-Wbidi-chars=any -Werror=format-security -Werror=implicit \
	-Werror=incompatible-pointer-types -Werror=int-conversion -Wno-c2x-extensions
HARDENING_COMPILE := -fstack-protector-strong -fstack-clash-protection -fstrict-flex-arrays=3 \
	-fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing -fexceptions \
	-fcf-protection=full -mbranch-protection=standard -fPIE
HARDENING_LINK := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodlopen \
	-Wl,--as-needed -Wl,--no-copy-dt-needed-entries
# The second set leaves out what hides from the sanitizers what they look for. WHOLE makes the program one unit
# (gcc only; tests link the same objects one by one). Vector loops are named: a distribution's -O2 comes last.
ifeq ($(SANITIZE),)
OPTIMIZE := -O3 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
HARDENING_COMPILE += -ftrivial-auto-var-init=zero -ftree-vectorize -fvect-cost-model=dynamic
WHOLE := -flto=auto\ -ffat-lto-objects
else
OPTIMIZE := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=$(SANITIZE)
endif

# Of those that are left: what the compiler takes.
define write_flags
	@takes() { echo 'int main(void) { return 0; }' | $(CC) -Werror "$$@" -x c - -o $@.probe 2>/dev/null; }; \
	taken=; for flag in $(1); do ! takes $$taken $$flag || taken="$$taken $$flag"; done; \
	rm -f $@.probe; echo "$$taken $(OPTIMIZE) $(2)" >$@
endef

# Objects depend on this file, which changes when one of these does.
SETTINGS := $(VERSION) | $(CC) | $(SANITIZE) | $(CPPFLAGS) | $(CFLAGS) | $(LDFLAGS) |
ifneq ($(file <$(BUILD)/settings),$(SETTINGS))
.PHONY: $(BUILD)/settings
endif
$(BUILD)/settings: Makefile
	$(shell mkdir -p $(@D))$(file >$@,$(SETTINGS))

$(BUILD)/flags.compile: $(BUILD)/settings
	$(call write_flags,$(WARNINGS) $(HARDENING_COMPILE) $(WHOLE),$$(pkg-config --cflags libmicrohttpd libcjson gnutls))
$(BUILD)/flags.link: $(BUILD)/settings
	$(call write_flags,$(HARDENING_LINK) $(WHOLE))

# What is built does not depend on the folder.
ANYWHERE := '-ffile-prefix-map=$(CURDIR)=.'
COMPILE = $(CC) $(ANYWHERE) -std=gnu11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -Iserver -Itests -MMD -MP \
	@$(BUILD)/flags.compile -pthread $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) $(ANYWHERE) @$(BUILD)/flags.link -pthread $(CFLAGS) $(LDFLAGS)
LIBS = $$(pkg-config --libs $(1) libcjson gnutls)

# --- program and tests ---

$(BUILD)/%.o: %.c $(BUILD)/flags.compile
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(COMPILE) -c $< -o $@

$(ARCHIVE): $(MODULES)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(PROGRAM): $(BUILD)/server/main.o $(MODULES) | $(BUILD)/flags.link
	$(call say,LINK $@)
	$(Q)$(LINK) $^ $(call LIBS,libmicrohttpd) -o $@

$(TESTS:%=$(BUILD)/tests/%): %: %.o $(BUILD)/tests/support.o $(BUILD)/tests/wire/wire.o \
		$(ARCHIVE) | $(BUILD)/flags.link
	$(Q)$(LINK) -fno-lto $^ $(call LIBS,check) -o $@

REPLAYS := $(FUZZERS:%=$(BUILD)/fuzz/replay_%)
$(REPLAYS): $(BUILD)/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/common.o \
		$(BUILD)/tests/fuzz/replay.o $(ARCHIVE) | $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(Q)$(LINK) -fno-lto $^ $(call LIBS) -o $@

# What is loaded into the server to make it fail; never with a sanitizer in it.
$(BUILD)/fault/%.so: tests/wire/fault/%.c $(wildcard tests/wire/fault/*.h) $(BUILD)/settings
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O1 -fPIC -shared $< -o $@

-include $(foreach depth,* */* */*/*,$(wildcard $(BUILD)/server/$(depth).d $(BUILD)/tests/$(depth).d))

# --- run: the packages that each kind of work needs are listed in deps.sh ---

deps: deps-build ## install what the build needs (apt)
deps-%:
	@sh tests/repo/deps.sh $*

run: deps ## install, build and serve on PORT (8080)
	$(BUILDING) all
	@printf '\n%s\n\n  %s\n\n' "Serving. In another terminal, send it an answer as long as Microsoft's:" \
	    "curl -si --get --data @tests/whole/curl/microsoft-answer.txt http://localhost:$(PORT)/api/ms_oauth_callback"
	@REDIRECTD_LISTEN_PORT=$(PORT) exec $(PROGRAM)

# --- checks ---

check: deps-check ## install, build and run every test
	$(BUILDING) check-run

# TESTS and SCRIPTS choose what runs. WRAPPER runs the server and the unit tests under a tool such as valgrind.
check-run: $(PROGRAM) $(TESTS:%=$(BUILD)/tests/%) $(REPLAYS) $(FAULTS)
	@PROGRAM=$(PROGRAM) BUILD=$(BUILD) WRAPPER="$(WRAPPER)" SCRIPTS="$(SCRIPTS)" sh tests/run.sh $(TESTS)

# Scripts that run PROGRAM, and see more where it is built or run in another way.
PROGRAM_SCRIPTS = $(filter-out tests/repo/%,$(wildcard tests/*/check_*.sh tests/*/check_*.py))

check-asan: deps-check ## every test under AddressSanitizer and UBSan
	$(BUILDING) BUILD=$(BUILD)/asan SANITIZE=address,undefined SCRIPTS="$(PROGRAM_SCRIPTS)" check-run

TSAN_TESTS = $(filter-out wire/check_faults,$(filter wire/% process/check_reload,$(TESTS)))
check-tsan: deps-check ## the server's tests under ThreadSanitizer
	$(BUILDING) BUILD=$(BUILD)/tsan SANITIZE=thread TESTS="$(TSAN_TESTS)" \
	    SCRIPTS=tests/process/check_lifecycle.py check-run

# Deadlines and load mean nothing at valgrind's speed.
VALGRIND_TESTS = $(filter-out wire/check_faults process/check_reload wire/check_slow wire/check_wire,$(TESTS))
check-valgrind: deps-valgrind ## unit tests, and the server's, under valgrind
	$(BUILDING) BUILD=$(BUILD)/valgrind TESTS="$(VALGRIND_TESTS)" \
	    SCRIPTS=tests/whole/check_encoder.py CFLAGS="$(CFLAGS) -O1 -fno-lto -U_FORTIFY_SOURCE" \
	    WRAPPER="valgrind -q --error-exitcode=99 --leak-check=full --suppressions=tests/repo/valgrind.supp \
	    --errors-for-leak-kinds=definite,indirect,possible" check-run

# Without what looks at how the program was built. Counting takes time: WRAPPER makes the tests patient.
coverage: deps-coverage ## lines and branches of each file that the tests reach; fails below 92 % of lines
	$(BUILDING) BUILD=$(BUILD)/coverage CC=gcc WRAPPER=env \
	    CFLAGS="$(CFLAGS) -O0 -fno-lto -U_FORTIFY_SOURCE --coverage -fprofile-update=atomic" \
	    SCRIPTS="$(filter-out tests/whole/check_binary.sh,$(PROGRAM_SCRIPTS))" coverage-run

# Counts are written when the server ends, and added to those of earlier runs.
coverage-run: $(PROGRAM)
	@find $(BUILD) -name '*.gcda' -delete
	$(BUILDING) check-run
	@gcovr --root . --filter server/ --object-directory $(BUILD) --exclude-throw-branches \
	    --exclude-unreachable-branches --json $(BUILD)/coverage.json $(BUILD)
	@python3 tests/repo/coverage.py $(BUILD)/coverage.json

smoke: ## check a running server: make smoke BASE_URL=https://oauth.example.com
	@sh tests/whole/curl/smoke.sh "$(BASE_URL)"

LINTED := -std=gnu11 -Wno-c2x-extensions -D_GNU_SOURCE -DVERSION='""' -Iserver
lint: deps-lint ## clang-tidy, cppcheck, gcc -fanalyzer, shellcheck; -Werror by gcc, by clang and for 32 bits
	$(BUILDING) BUILD=$(BUILD)/gcc CC=gcc CFLAGS=-Werror all
	$(BUILDING) BUILD=$(BUILD)/clang CC=clang CFLAGS=-Werror all
	$(BUILDING) BUILD=$(BUILD)/analyzer CC=gcc CFLAGS="-Werror -fanalyzer -Wno-analyzer-malloc-leak -fno-lto" all
	printf '%s\n' $(wildcard server/*.c server/*/*.c) | xargs -P $(JOBS) -I FILE \
	    clang-tidy --quiet FILE -- $(LINTED)
	[ "$$(uname -m)" != x86_64 ] || gcc -m32 -msse2 -Wno-psabi -fsyntax-only $(LINTED) $$(pkg-config --cflags libcjson gnutls) \
	    $(WARNINGS) -Werror $(wildcard server/*.c server/*/*.c)
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	    --include=/usr/include/$$(gcc -print-multiarch)/sys/queue.h $(filter-out -std=% -W%,$(LINTED)) server
	shellcheck .ci/run $(wildcard config/*/*.sh) config/deb/p* $(wildcard tests/*.sh tests/*/*.sh tests/*/*/*.sh)

SOURCES = $(foreach depth,* */* */*/*,$(wildcard server/$(depth).[ch] tests/$(depth).[ch]))
fmt: deps-lint ## format the sources
	clang-format -i $(SOURCES)
fmt-check: deps-lint ## fail where a source is not formatted
	clang-format --dry-run --Werror $(SOURCES)

# --- fuzz ---

FUZZ_SECONDS ?= 60

$(BUILD)/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/common.o $(ARCHIVE) | $(BUILD)/flags.link
	@mkdir -p $(@D)
	$(Q)$(LINK) -fsanitize=fuzzer $^ $(call LIBS) -o $@

fuzz: deps-fuzz ## run every fuzzer, FUZZ_SECONDS (60) each
	$(BUILDING) BUILD=$(BUILD)/libfuzzer CC=clang SANITIZE=fuzzer-no-link,address,undefined fuzz-run

# What is found goes into BUILD; what belongs to the tests is put into tests/fuzz/corpus by hand.
fuzz-run: $(PROGRAM) $(FUZZERS:%=$(BUILD)/fuzz/fuzz_%)
	@PROGRAM=$(PROGRAM) BUILD=$(BUILD) FUZZ_SECONDS=$(FUZZ_SECONDS) sh tests/fuzz/run.sh $(FUZZERS)

# --- bench ---

COUNTED := $(BUILD)/tests/bench/count_instructions
$(COUNTED): $(COUNTED).o $(ARCHIVE) | $(BUILD)/flags.link
	$(Q)$(LINK) -fno-lto $^ $(call LIBS) -o $@

bench: deps-bench ## CPU a request and answers under attack, beside nginx and HAProxy; 12 minutes; BENCH_ROUNDS (7), BENCH_SECONDS (2)
	$(BUILDING) all
	@PROGRAM=$(abspath $(PROGRAM)) BENCH_JSON=$(BUILD)/bench.json python3 tests/bench/bench.py

check-bench: ## the same for a minute, to see that it works; nothing is judged
	@$(MAKE) --no-print-directory bench BENCH_ROUNDS=1 BENCH_SECONDS=1

# At -O2, which a distribution's CFLAGS ask for.
O2 := $(BUILD)/O2/tests/bench/count_instructions
check-instructions: deps-valgrind ## hold instructions a request against tests/bench/instructions-*.txt
	$(BUILDING) BUILD=$(BUILD)/O2 CFLAGS=-O2 $(O2)
	@python3 tests/bench/hold_instructions.py $(O2) tests/bench/instructions-*.txt

# --- the whole: image, systemd, beside other software, browser ---

# Absent where only the program is built, as in the Dockerfile.
-include tests/whole/whole.mk

# --- release ---

SUITES ?= bookworm trixie
# Where the source is published; an address with a name or a password in it is nobody else's business.
SOURCE ?= $(shell git remote get-url origin 2>/dev/null | sed -n '/^https:[^@]*$$/ { s/\.git$$//; p }')

dist: ## make the tarball of what is committed: build/recall-redirectd-VERSION.tar.gz
	@VERSION=$(VERSION) BUILD=$(BUILD) sh tests/repo/release/dist.sh

distcheck: deps-check ## make the tarball; build, check, install, run and uninstall from it
	@VERSION=$(VERSION) sh tests/repo/release/check_dist.sh

deb: deps-deb ## make a Debian package for this Debian or Ubuntu
	$(BUILDING) all
	@BUILD=$(BUILD) VERSION=$(VERSION) SOURCE="$(SOURCE)" sh config/deb/build.sh

check-deb: deps-lintian ## install, upgrade and purge the package on SUITES (Debian 12, 13), under systemd (root)
	@for suite in $(SUITES); do VERSION=$(VERSION) SUITE=$$suite sh tests/whole/systemd/check_deb.sh || exit; done

release: deps-release ## make all that is published, signed by KEY (a file), from a tagged commit: build/release (root)
	@VERSION=$(VERSION) BUILD=$(BUILD) SUITES="$(SUITES)" KEY="$(KEY)" ENGINE="$(ENGINE)" BASE="$(BASE)" \
	    PLATFORMS="$(PLATFORMS)" OPTIONS="$(IMAGE_OPTIONS)" SOURCE="$(SOURCE)" sh tests/repo/release/release.sh

check-release: deps-registry ## make a release in a clone; verify it as VERIFY says, with a registry on loopback (root)
	@VERSION=$(VERSION) sh tests/repo/release/check_release.sh

# --- the rest ---

docs: deps-check ## write the tables of keys in README.md and the manual page
	$(BUILDING) $(BUILD)/tests/repo/check_tables
	@$(BUILD)/tests/repo/check_tables --write

# Where systemd looks for units of the system and of its administrator.
UNITDIR ?= $(if $(filter /usr,$(PREFIX)),,$(PREFIX))/lib/systemd/system
DOCDIR  := $(PREFIX)/share/doc/recall-redirectd
MANDIR  := $(PREFIX)/share/man/man8
UNITS   := $(notdir $(wildcard systemd/*))
DOCUMENTS := README.md CHANGELOG.md SECURITY.md config/recall-redirectd.json

install: all ## install into DESTDIR and PREFIX (/usr/local): program, units, manual, example
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(UNITDIR) $(DESTDIR)$(MANDIR) $(DESTDIR)$(DOCDIR)
	install -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/recall-redirectd
	install -m 644 $(UNITS:%=systemd/%) $(DESTDIR)$(UNITDIR)
	sed -i 's,/usr/bin/recall-redirectd,$(PREFIX)/bin/recall-redirectd,g' \
	    $(DESTDIR)$(UNITDIR)/recall-redirectd.service
	install -m 644 server/recall-redirectd.8 $(DESTDIR)$(MANDIR)
	install -m 644 $(DOCUMENTS) $(DESTDIR)$(DOCDIR)

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/recall-redirectd $(UNITS:%=$(DESTDIR)$(UNITDIR)/%) \
	    $(DESTDIR)$(MANDIR)/recall-redirectd.8 $(addprefix $(DESTDIR)$(DOCDIR)/,$(notdir $(DOCUMENTS)))
	-rmdir $(DESTDIR)$(DOCDIR)

clean: ## remove the build
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1	\2/p' Makefile tests/whole/whole.mk | expand -t 22
