# recall-redirectd. `make help` lists the targets.

VERSION := 0.1.0

CC       ?= gcc
BUILD    ?= build
PREFIX   ?= /usr/local
SANITIZE ?=
PORT     ?= 8080

PROGRAM := $(BUILD)/recall-redirectd
CORE    := $(BUILD)/libcore.a

# Everything that needs no libmicrohttpd, no socket and no file: what unit tests and fuzzers link.
CORE_MODULES := access admin app buf config config_check config_file config_keys config_value connect \
	csrf http json live log metrics mhd_0975 network oauth options outcome page record screen \
	start text url watchdog
SHELL_MODULES := backlog certificate commands connection cork exchange gauges healthcheck listener load loop \
	machine main noise peers reload reply serve server sockets systemd tls
TESTS := $(patsubst tests/%.c,%,$(wildcard tests/check_*.c))

PACKAGES_BUILD := gcc pkg-config libmicrohttpd-dev libcjson-dev libgnutls28-dev curl
PACKAGES_CHECK := $(PACKAGES_BUILD) binutils check mandoc openssl python3
PACKAGES_DOCS  := git make $(if $(shell command -v node),,nodejs)
PACKAGES_FUZZ  := $(PACKAGES_BUILD) clang libclang-rt-dev
PACKAGES_LINT  := $(PACKAGES_CHECK) clang clang-format clang-tidy cppcheck shellcheck

WARNINGS := -Wall -Wextra -Wformat=2 -Wconversion -Wsign-conversion -Wshadow -Wvla \
	-Wstrict-prototypes -Wmissing-prototypes -Wimplicit-fallthrough -Wtrampolines \
	-Wbidi-chars=any -Werror=format-security -Werror=implicit \
	-Werror=incompatible-pointer-types -Werror=int-conversion
HARDENING_COMPILE := -fstack-protector-strong -fstack-clash-protection -fstrict-flex-arrays=3 \
	-fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing -fexceptions \
	-fcf-protection=full -mbranch-protection=standard -fPIE
HARDENING_LINK := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,nodlopen \
	-Wl,--as-needed -Wl,--no-copy-dt-needed-entries
# The program as one unit; gcc only. Tests link the same objects one by one.
WHOLE := -flto=auto -ffat-lto-objects
# These hide from the sanitizers what they look for.
ifeq ($(SANITIZE),)
OPTIMIZE := -O3 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
HARDENING_COMPILE += -ftrivial-auto-var-init=zero
else
OPTIMIZE := -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize=$(SANITIZE)
WHOLE :=
endif

# Quiet, unless V=1.
ifeq ($(V),)
Q := @
say = @echo "  $(1)"
else
say =
endif

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all
all: $(PROGRAM) ## build the server: build/recall-redirectd

# --- flags: each one is tried, since compilers and processors differ in what they take ---

$(BUILD)/flags.compile $(BUILD)/flags.link: $(BUILD)/flags.stamp ;
$(BUILD)/flags.stamp: Makefile
	@mkdir -p $(BUILD)/server $(BUILD)/tests
	@takes() { echo 'int main(void) { return 0; }' | \
	    $(CC) -Werror "$$@" -x c - -o $(BUILD)/probe 2>/dev/null; }; \
	for f in $(WARNINGS) $(HARDENING_COMPILE); do takes $$f && echo $$f; done \
	    >$(BUILD)/flags.compile; \
	for f in $(HARDENING_LINK); do takes $$f && echo $$f; done >$(BUILD)/flags.link; \
	whole=; ! takes $(WHOLE) || whole="$(WHOLE)"; \
	rm -f $(BUILD)/probe; \
	echo "$(OPTIMIZE) $$whole" | tee -a $(BUILD)/flags.compile >>$(BUILD)/flags.link
	@pkg-config --cflags libmicrohttpd libcjson gnutls >>$(BUILD)/flags.compile
	@touch $@

COMPILE = $(CC) -std=gnu11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -Iserver -MMD -MP \
	@$(BUILD)/flags.compile -pthread $(CPPFLAGS) $(CFLAGS)
LINK = $(CC) @$(BUILD)/flags.link -pthread $(CFLAGS) $(LDFLAGS)
LINK_TEST = $(LINK) -fno-lto

# --- program and tests ---

$(BUILD)/server/%.o: server/%.c $(BUILD)/flags.stamp
	$(call say,CC $<)
	$(Q)$(COMPILE) -c $< -o $@

$(CORE): $(CORE_MODULES:%=$(BUILD)/server/%.o)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(PROGRAM): $(SHELL_MODULES:%=$(BUILD)/server/%.o) $(CORE)
	$(call say,LINK $@)
	$(Q)$(LINK) $^ $$(pkg-config --libs libmicrohttpd libcjson gnutls) -o $@

$(BUILD)/tests/%.o: tests/%.c $(BUILD)/flags.stamp
	$(call say,CC $<)
	$(Q)$(COMPILE) $$(pkg-config --cflags check) -c $< -o $@

$(BUILD)/tests/check_%: $(BUILD)/tests/check_%.o $(BUILD)/tests/support.o $(BUILD)/tests/wire.o $(CORE)
	$(Q)$(LINK_TEST) $^ $$(pkg-config --libs check libcjson gnutls) -o $@

# Of the shell, but to be tested without a server.
$(BUILD)/tests/check_cork: $(BUILD)/server/cork.o

-include $(wildcard $(BUILD)/server/*.d $(BUILD)/tests/*.d)

# --- set-up: named, then installed ---

define install_packages
	@command -v dpkg-query >/dev/null || { echo "not Debian or Ubuntu; needed are:" $(1); exit 0; }; \
	missing=$$(for p in $(1); do dpkg-query -W -f='$${Status}\n' $$p 2>/dev/null | \
	    grep -q 'ok installed' || echo $$p; done); \
	[ -z "$$missing" ] && exit 0; \
	echo "installing what is missing:" $$missing; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	$$sudo apt-get update -qq && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing
endef

# Makes a target that compiles, on all processors.
JOBS    ?= $(shell nproc)
BUILDING = $(MAKE) --no-print-directory -j$(JOBS)

# Makes a target that installs servers, and lets none of them start.
UNSTARTED = sh tests/without_starting.sh $(MAKE) --no-print-directory

.PHONY: deps deps-check deps-lint deps-valgrind
deps: ## install what the build needs (apt)
	$(call install_packages,$(PACKAGES_BUILD))
deps-check:
	$(call install_packages,$(PACKAGES_CHECK) $(PACKAGES_DOCS))
deps-lint:
	$(call install_packages,$(PACKAGES_LINT))
deps-valgrind:
	$(call install_packages,$(PACKAGES_CHECK) valgrind)

# --- run ---

.PHONY: run
run: deps ## install, build and serve on PORT (8080)
	@$(BUILDING) all
	@echo
	@echo "Serving. In another terminal, send it an answer as long as Microsoft's:"
	@echo
	@echo "  curl -si --get --data @tests/curl/microsoft-answer.txt http://localhost:$(PORT)/api/ms_oauth_callback"
	@echo
	@REDIRECTD_LISTEN_PORT=$(PORT) exec $(PROGRAM)

# --- checks ---

.PHONY: check check-run check-asan check-tsan check-valgrind smoke
check: deps-check ## install, build and run every test
	@$(BUILDING) check-run

# WRAPPER runs the server and the unit tests under a tool such as valgrind.
check-run: $(PROGRAM) $(TESTS:%=$(BUILD)/tests/%)
	@PROGRAM=$(PROGRAM) BUILD=$(BUILD) WRAPPER="$(WRAPPER)" SCRIPTS="$(SCRIPTS)" sh tests/run.sh $(TESTS)

# Scripts that run PROGRAM, and tell more where it is built or run in another way.
PROGRAM_SCRIPTS = $(filter-out tests/check_docs.py tests/check_house.py,$(wildcard tests/e2e_*.sh tests/check_*.py))

check-asan: deps-check ## every test under AddressSanitizer and UBSan
	@$(BUILDING) BUILD=$(BUILD)/asan SANITIZE=address,undefined \
	    SCRIPTS="$(PROGRAM_SCRIPTS)" check-run

# What has threads in it.
check-tsan: deps-check ## the server's tests under ThreadSanitizer
	@$(BUILDING) BUILD=$(BUILD)/tsan SANITIZE=thread \
	    TESTS="check_reload check_server check_slow check_wire" SCRIPTS=tests/check_lifecycle.py check-run

# Deadlines and load mean nothing at valgrind's speed.
VALGRIND_TESTS = $(filter-out check_faults check_reload check_slow check_wire,$(TESTS))

check-valgrind: deps-valgrind ## unit tests, and the server's, under valgrind
	@$(BUILDING) BUILD=$(BUILD)/valgrind TESTS="$(VALGRIND_TESTS)" \
	    SCRIPTS=tests/check_encoder.py CFLAGS="$(CFLAGS) -O1 -fno-lto -U_FORTIFY_SOURCE" \
	    WRAPPER="valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible --suppressions=tests/valgrind.supp" check-run

# --- coverage ---

COVERAGE := $(BUILD)/coverage
# Without what looks at how the program was built. Counting takes time: WRAPPER makes the tests patient.
COVERAGE_SCRIPTS = $(filter-out tests/e2e_binary.sh,$(PROGRAM_SCRIPTS))
COVERAGE_FLAGS := -O0 -fno-lto -U_FORTIFY_SOURCE --coverage -fprofile-update=atomic

.PHONY: deps-coverage coverage coverage-run
deps-coverage:
	$(call install_packages,$(PACKAGES_CHECK) gcovr)

coverage: deps-coverage ## lines and branches of each file that the tests reach; fails below 92 % of lines
	@$(BUILDING) BUILD=$(COVERAGE) CC=gcc CFLAGS="$(CFLAGS) $(COVERAGE_FLAGS)" \
	    WRAPPER=env SCRIPTS="$(COVERAGE_SCRIPTS)" coverage-run

# Counts are written when the server ends, and added to those of earlier runs.
coverage-run: $(PROGRAM) $(TESTS:%=$(BUILD)/tests/%)
	@find $(BUILD) -name '*.gcda' -delete
	@$(BUILDING) check-run
	@gcovr --root . --filter server/ --object-directory $(BUILD) --exclude-throw-branches \
	    --exclude-unreachable-branches --json $(BUILD)/coverage.json $(BUILD)
	@python3 tests/coverage.py $(BUILD)/coverage.json $(CORE_MODULES)

# --- end of coverage ---

smoke: ## check a running server: make smoke BASE_URL=https://oauth.example.com
	@sh tests/curl/smoke.sh "$(BASE_URL)"

.PHONY: lint fmt fmt-check
SOURCES = $(wildcard server/*.[ch] tests/*.[ch] tests/fuzz/*.[ch] tests/fault/*.[ch] tests/bench/*.c)

lint: deps-lint ## clang-tidy, cppcheck, gcc -fanalyzer, shellcheck; both compilers with -Werror
	@$(BUILDING) BUILD=$(BUILD)/gcc CC=gcc CFLAGS=-Werror all
	@$(BUILDING) BUILD=$(BUILD)/clang CC=clang CFLAGS=-Werror all
	@$(BUILDING) BUILD=$(BUILD)/analyzer CC=gcc CFLAGS="-Werror -fanalyzer -fno-lto" all
	clang-tidy --quiet $(wildcard server/*.c) -- -std=gnu11 -D_GNU_SOURCE -DVERSION='""' -Iserver
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
	    --error-exitcode=1 -D_GNU_SOURCE -DVERSION='""' -Iserver server
	shellcheck $(wildcard tests/*.sh tests/*/*.sh) .ci/run

fmt: deps-lint ## format the sources
	clang-format -i $(SOURCES)

fmt-check: deps-lint ## fail where a source is not formatted
	clang-format --dry-run --Werror $(SOURCES)

# --- fuzz ---

FUZZERS := callback config connect outcome query screen server url
FUZZ_SECONDS ?= 60
REPLAYS := $(FUZZERS:%=$(BUILD)/fuzz/replay_%)
FAULTS := $(patsubst tests/fault/%.c,$(BUILD)/fault/%.so,$(wildcard tests/fault/*.c))
FUZZ_BUILD := $(BUILD)/libfuzzer

$(BUILD)/fuzz/%.o: tests/fuzz/%.c $(BUILD)/flags.stamp
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(COMPILE) -c $< -o $@

$(BUILD)/fuzz/replay_%: $(BUILD)/fuzz/fuzz_%.o $(BUILD)/fuzz/common.o $(BUILD)/fuzz/replay.o $(CORE)
	$(Q)$(LINK_TEST) $^ $$(pkg-config --libs libcjson gnutls) -o $@

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/fuzz_%.o $(BUILD)/fuzz/common.o $(CORE)
	$(Q)$(LINK) -fsanitize=fuzzer $^ $$(pkg-config --libs libcjson gnutls) -o $@

# What is loaded into the server to make it fail; never with a sanitizer in it.
$(BUILD)/fault/%.so: tests/fault/%.c tests/fault/fail_alloc.h
	@mkdir -p $(@D)
	$(call say,CC $<)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O1 -fPIC -shared $< -o $@

-include $(wildcard $(BUILD)/fuzz/*.d)

# `make check` replays the corpora, with any compiler.
check-run: $(REPLAYS) $(FAULTS)

.PHONY: deps-fuzz fuzz fuzz-run
deps-fuzz:
	$(call install_packages,$(PACKAGES_FUZZ))
fuzz: deps-fuzz ## run every fuzzer, FUZZ_SECONDS (60) each
	@$(BUILDING) BUILD=$(FUZZ_BUILD) CC=clang \
	    SANITIZE=fuzzer-no-link,address,undefined fuzz-run

# What is found goes into BUILD; what belongs to the tests is put into tests/fuzz/corpus by hand.
fuzz-run: $(PROGRAM) $(FUZZERS:%=$(BUILD)/fuzz/fuzz_%)
	@PROGRAM=$(PROGRAM) BUILD=$(BUILD) FUZZ_SECONDS=$(FUZZ_SECONDS) \
	    sh tests/fuzz/run.sh $(FUZZERS)

# --- end of fuzz ---

# --- image ---

# With the engine's own options where needed: make image ENGINE="podman --root DIR"
ENGINE ?= $(firstword $(foreach e,podman docker,$(shell command -v $(e) >/dev/null 2>&1 && echo $(e))))
IMAGE  ?= recall-redirectd:$(VERSION)
BASE   ?= debian:trixie-slim
IMAGE_OPTIONS ?=

PACKAGES_IMAGE := podman runc netavark aardvark-dns iptables debootstrap curl

.PHONY: deps-image deps-podman image check-image
deps-image:
	@docker info >/dev/null 2>&1 || $(MAKE) --no-print-directory deps-podman
deps-podman:
	$(call install_packages,$(PACKAGES_IMAGE))

image: ## build the container image IMAGE from BASE with ENGINE (podman or docker); IMAGE_OPTIONS go to it
	@[ -n "$(ENGINE)" ] || { echo "neither podman nor docker is installed" >&2; exit 1; }
	@echo "building $(IMAGE) from $(BASE) with $(firstword $(ENGINE))"
	$(ENGINE) build $(if $(findstring podman,$(firstword $(ENGINE))),--format docker) \
	    --build-arg BASE=$(BASE) --build-arg VERSION=$(VERSION) -t $(IMAGE) $(IMAGE_OPTIONS) .

check-image: deps-image ## build the image, run it as production would, and check it
	@sh tests/image/check_image.sh

# --- end of image ---

# --- systemd ---

.PHONY: deps-systemd check-systemd
deps-systemd:
	$(call install_packages,$(PACKAGES_BUILD) debootstrap openssl python3 systemd)

check-systemd: deps-systemd ## boot a Debian 12 with the units in a container, watch them work (root)
	@$(BUILDING) all
	@PROGRAM=$(PROGRAM) BUILD=$(BUILD) sh tests/systemd/check_systemd.sh

# --- end of systemd ---

# --- beside other software ---

PACKAGES_BESIDE := $(PACKAGES_BUILD) python3 python3-yaml openssl nginx haproxy caddy prometheus

.PHONY: deps-beside deps-beside-packages check-beside
deps-beside:
	@$(UNSTARTED) deps-beside-packages
deps-beside-packages:
	$(call install_packages,$(PACKAGES_BESIDE))

check-beside: deps-beside ## run beside nginx, HAProxy, Caddy and Prometheus as config/ says; their services are not started
	@$(BUILDING) all
	@PROGRAM=$(PROGRAM) sh tests/beside/check_beside.sh

# --- end of beside ---

# --- e2e ---

PACKAGES_E2E := $(PACKAGES_BUILD) chromium libnss3-tools nginx openssl
E2E_MODULES  := tests/e2e/node_modules/.package-lock.json

.PHONY: deps-e2e deps-e2e-packages e2e
deps-e2e:
	@$(UNSTARTED) deps-e2e-packages
	@$(MAKE) --no-print-directory $(E2E_MODULES)

# Node.js may come from elsewhere than Debian.
deps-e2e-packages:
	$(call install_packages,$(PACKAGES_E2E) $(if $(shell command -v node;),,nodejs) $(if $(shell command -v npm;),,npm))

$(E2E_MODULES): tests/e2e/package-lock.json
	$(call say,NPM tests/e2e)
	$(Q)npm ci --prefix tests/e2e --silent --no-audit --no-fund && touch $@

e2e: deps-e2e ## walk the whole login in a real browser; pictures of the pages go to build/e2e
	@$(BUILDING) all
	@PROGRAM=$(PROGRAM) BUILD=$(BUILD) node tests/e2e/run.mjs

# --- end of e2e ---

# --- release ---

DIST := recall-redirectd-$(VERSION)
SUITES ?= bookworm trixie

.PHONY: deps-dist dist distcheck
deps-dist:
	$(call install_packages,$(PACKAGES_CHECK) git)

dist: ## make the tarball of what is committed: build/recall-redirectd-VERSION.tar.gz
	@sh tests/release/releasable.sh $(VERSION) CHANGELOG.md
	@git diff --quiet HEAD -- || { echo "make dist: there are changes that are not committed" >&2; exit 1; }
	@mkdir -p $(BUILD)
	@git -c tar.umask=022 -c tar.tar.gz.command='gzip -9cn' archive \
	    --prefix=$(DIST)/ -o $(BUILD)/$(DIST).tar.gz HEAD
	@echo $(BUILD)/$(DIST).tar.gz

distcheck: deps-dist ## make the tarball; build, check, install, run and uninstall from it
	@VERSION=$(VERSION) sh tests/release/check_dist.sh

.PHONY: deps-deb deb check-deb lint-release
deps-deb:
	$(call install_packages,$(PACKAGES_BUILD) binutils dpkg-dev)

deb: deps-deb ## make a Debian package for this Debian or Ubuntu
	@$(BUILDING) all
	@BUILD=$(BUILD) VERSION=$(VERSION) sh config/deb/build.sh

check-deb: deps-systemd deps-deb ## install, upgrade and purge the package on SUITES (Debian 12, 13), under systemd (root)
	@for suite in $(SUITES); do \
	    VERSION=$(VERSION) SUITE=$$suite sh tests/systemd/check_deb.sh || exit 1; \
	done

lint: lint-release
lint-release: deps-lint
	shellcheck config/deb/build.sh config/deb/postinst config/deb/prerm config/deb/postrm

# --- end of release ---

# --- bench ---

PACKAGES_BENCH := $(PACKAGES_BUILD) haproxy iproute2 nginx openssl python3 util-linux valgrind wrk
COUNTED := $(BUILD)/bench/count_instructions

$(COUNTED): tests/bench/count_instructions.c $(CORE) $(BUILD)/flags.stamp
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -c $< -o $@.o
	$(Q)$(LINK_TEST) $@.o $(CORE) $$(pkg-config --libs libcjson gnutls) -o $@

.PHONY: deps-bench bench check-bench check-instructions
deps-bench:
	@$(UNSTARTED) deps-bench-packages
deps-bench-packages:
	$(call install_packages,$(PACKAGES_BENCH))

bench: deps-bench ## CPU a request beside nginx and HAProxy; 7 minutes; BENCH_ROUNDS (7), BENCH_SECONDS (2)
	@$(BUILDING) all
	@PROGRAM=$(abspath $(PROGRAM)) BENCH_JSON=$(BUILD)/bench.json python3 tests/bench/bench.py

check-bench: deps-bench ## the same for a minute, to see that it works; nothing is judged
	@$(MAKE) --no-print-directory bench BENCH_ROUNDS=1 BENCH_SECONDS=1

check-instructions: deps-valgrind ## hold instructions a request against tests/bench/instructions.txt
	@$(BUILDING) $(COUNTED)
	@python3 tests/bench/check_instructions.py $(COUNTED) tests/bench/instructions.txt

# --- end of bench ---

# --- the rest ---

.PHONY: install uninstall clean help
# Where systemd looks for units of the system and of its administrator.
ifeq ($(PREFIX),/usr)
UNITDIR ?= /lib/systemd/system
else
UNITDIR ?= $(PREFIX)/lib/systemd/system
endif
DOCDIR := $(PREFIX)/share/doc/recall-redirectd
MANDIR := $(PREFIX)/share/man/man8
UNITS := recall-redirectd.service recall-redirectd.socket recall-redirectd-admin.socket
DOCUMENTS := README.md CHANGELOG.md SECURITY.md config/recall-redirectd.json

install: all ## install into DESTDIR and PREFIX (/usr/local): program, units, manual, example
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(UNITDIR) $(DESTDIR)$(MANDIR) $(DESTDIR)$(DOCDIR)
	install -m 755 $(PROGRAM) $(DESTDIR)$(PREFIX)/bin/recall-redirectd
	install -m 644 $(UNITS:%=systemd/%) $(DESTDIR)$(UNITDIR)
	sed -i 's,/usr/bin/recall-redirectd,$(PREFIX)/bin/recall-redirectd,g' \
	    $(DESTDIR)$(UNITDIR)/recall-redirectd.service
	install -m 644 server/recall-redirectd.8 $(DESTDIR)$(MANDIR)
	install -m 644 $(DOCUMENTS) $(DESTDIR)$(DOCDIR)

uninstall: ## take away what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/recall-redirectd $(UNITS:%=$(DESTDIR)$(UNITDIR)/%) \
	    $(DESTDIR)$(MANDIR)/recall-redirectd.8 $(addprefix $(DESTDIR)$(DOCDIR)/,$(notdir $(DOCUMENTS)))
	-rmdir $(DESTDIR)$(DOCDIR)

clean: ## remove the build
	rm -rf $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  \1	\2/p' Makefile | expand -t 22
