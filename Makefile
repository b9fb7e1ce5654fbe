# `make help` lists what can be made: the texts are behind each target, after ##.

PREFIX ?= /usr/local
DESTDIR ?=

VERSION := $(shell sed -n 's/.*disbatchVersion = "\(.*\)"/\1/p' Sources/Core/Options/Version.swift)
PROGRAMS := disbatch disbatch-engine dbutil
HELPERS := disbatch-web disbatch-mail disbatch-gce
MAN1 := disbatch.1 disbatch-engine.1 dbutil.1
MAN5 := dbutil-json.5 disbatch-status.5 disbatch-tasks.5

# What Swift's tarball needs to start and to link; the C++ library's version is the system's.
SWIFT_PACKAGES := libncurses6 libsqlite3-0 libcurl4 libxml2 binutils libc6-dev libstdc++-$(shell \
    [ ! -r /etc/os-release ] || . /etc/os-release; case "$$VERSION_ID" in (13*) echo 14 ;; (*) echo 12 ;; esac)-dev
BUILD_PACKAGES := libsqlite3-dev libssh2-1-dev libsodium-dev libncurses-dev libmicrohttpd-dev \
    libcurl4-openssl-dev libssl-dev pkg-config
TEST_PACKAGES := sqlite3 python3 python3-aiosmtpd openssl curl shellcheck mandoc tmux util-linux procps zsh fish \
    openssh-server openssh-client iptables
SERVICE_PACKAGES := $(TEST_PACKAGES) python3-venv slurmctld slurmd slurm-client munge \
    gridengine-master gridengine-exec gridengine-client iproute2 chromium mmdebstrap
LINT_PACKAGES := shellcheck mandoc python3-venv
PROOF_PACKAGES := python3 gcc libc6-dev openssh-server openssh-client iptables procps util-linux \
    slurmctld slurmd slurm-client munge
BENCH_PACKAGES := findutils gcc libc6-dev python3 python3-venv
COST_PACKAGES := python3 strace valgrind libc6-dbg

# What is installed is built apart: Package.swift says what is static. Symbols stay, for those who count and measure;
# what is installed is stripped. That no two accesses to a value overlap is looked after in debug builds, by which all
# tests run.
RELEASE := .build/installed
RELEASE_BUILD := DISBATCH_RELEASE=1 swift build -c release --scratch-path $(RELEASE) --static-swift-stdlib \
    -Xswiftc -enforce-exclusivity=unchecked
# The tree as it is installed, but for bin/.
STAGE := .build/stage
ARCHIVE := disbatch-$(VERSION)-linux-$(shell uname -m)

# $(call swift_test,NAME,ARGUMENTS): runs tests, and says again what failed and why where it is found. Swift Testing
# tells NAME.events all of it.
RESULTS := .build/results
define swift_test
@mkdir -p $(RESULTS)
@rm -f $(RESULTS)/$(1).events
swift test $(2) --event-stream-output-path $(RESULTS)/$(1).events --event-stream-version 6.3 || \
    { [ ! -e $(RESULTS)/$(1).events ] || Scripts/test-results $(RESULTS)/$(1).events; exit 1; }
endef

export DESTDIR

.PHONY: help demo check test test-services test-fakes test-installed debug chaos differential fuzz fuzz-corpus scale \
    sanitize release stage install dist bench peers plots costs lint man completions clean check-swift build-packages

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

check-swift:
	@Scripts/install-packages $(SWIFT_PACKAGES)
	@Scripts/check-swift

build-packages:
	@Scripts/install-packages $(BUILD_PACKAGES)

demo: check-swift build-packages ## build, and run a small task file to its end
	swift build --product disbatch-engine
	swift build --product disbatch
	@Scripts/demo .build/debug/disbatch

debug: check-swift build-packages
	swift build --build-tests

check: check-swift build-packages ## unit tests and lint: what to run while at work
	@Scripts/install-packages $(TEST_PACKAGES) $(LINT_PACKAGES)
	$(call swift_test,check,--skip '^(EndToEndTests|ServiceTests)\.')
	@Scripts/lint

test: check-swift build-packages ## build, and run the tests of parts and of whole programs
	@Scripts/install-packages $(TEST_PACKAGES)
	$(call swift_test,test,--skip '^ServiceTests\.')

test-services: check-swift build-packages ## run those with Slurm, Grid Engine, a fake Google, a browser; and as installed
	@Scripts/install-packages $(SERVICE_PACKAGES)
	$(call swift_test,test-services,--filter '^ServiceTests\.')
	@$(MAKE) --no-print-directory test-fakes test-installed

test-fakes:
	FAKE_GCE_VENV=$(CURDIR)/.build/fake-gce-venv Tests/Support/fake-gce/test

test-installed: stage
	@Scripts/test-install

# MINUTES=N: for so long; ARGUMENTS: see Proof/chaos --help.
MINUTES ?= 3
chaos: check-swift build-packages ## kill and cut off parts of runs for MINUTES=N (3): is anything lost or doubled?
	@Scripts/install-packages $(PROOF_PACKAGES)
	swift build
	Proof/chaos --minutes $(MINUTES) $(ARGUMENTS)

# ARGUMENTS: see Proof/differential --help.
differential: check-swift build-packages ## run random task files by disBatch 3.0 too, and compare
	@Scripts/install-packages python3 python3-venv
	swift build
	Proof/differential $(ARGUMENTS)

# SECONDS=N: for so long each; ARGUMENTS: targets, and --minimise; see Proof/fuzz/run.
SECONDS ?= 60
fuzz: check-swift build-packages ## fuzz what reads what others wrote, for a minute each, or SECONDS=N
	Proof/fuzz/run --seconds $(SECONDS) $(ARGUMENTS)

fuzz-corpus: check-swift build-packages ## try the inputs that fuzzing found
	Proof/fuzz/run $(ARGUMENTS)

# ARGUMENTS: see Proof/scale --help.
scale: check-swift ## play runs of up to 10 000 engines and 10 million tasks: what does an event cost?
	@Scripts/install-packages python3
	swift build -c release --product simulate
	Proof/scale $(ARGUMENTS)

# SANITIZER=thread, or address; ARGUMENTS: see Proof/sanitize --help.
SANITIZER ?= thread
sanitize: check-swift build-packages ## run all tests under SANITIZER=thread, or address
	@Scripts/install-packages $(SERVICE_PACKAGES)
	Proof/sanitize $(SANITIZER) $(ARGUMENTS)

# The linker says that parts of glibc would be loaded at run time (dlopen): neither SQLite extensions nor Swift's
# prespecialised libraries, the two that could, are used.
release: check-swift build-packages
	$(RELEASE_BUILD)

# With STAGED set, what was staged before stays as it is.
ifndef STAGED
stage: release
	rm -rf $(STAGE)
	install -d $(STAGE)/libexec/disbatch $(STAGE)/share/man/man1 $(STAGE)/share/man/man5 $(STAGE)/share/doc/disbatch \
	    $(STAGE)/share/bash-completion/completions $(STAGE)/share/zsh/site-functions \
	    $(STAGE)/share/fish/vendor_completions.d
	install -s -m 755 $(PROGRAMS:%=$(RELEASE)/release/%) $(HELPERS:%=$(RELEASE)/release/%) $(STAGE)/libexec/disbatch
	install -m 644 $(MAN1:%=man/%) $(STAGE)/share/man/man1
	install -m 644 $(MAN5:%=man/%) $(STAGE)/share/man/man5
	echo ".so man1/disbatch.1" >$(STAGE)/share/man/man1/disBatch.1
	install -m 644 LICENSE README.md CHANGELOG.md $(STAGE)/share/doc/disbatch
	for name in disbatch dbutil; do \
	    $(STAGE)/libexec/disbatch/$$name --completions zsh >$(STAGE)/share/zsh/site-functions/_$$name || exit 1; \
	done
	$(STAGE)/libexec/disbatch/dbutil --completions bash >$(STAGE)/share/bash-completion/completions/dbutil
	$(STAGE)/libexec/disbatch/dbutil --completions fish >$(STAGE)/share/fish/vendor_completions.d/dbutil.fish
	for name in disbatch disBatch disBatch.py; do \
	    $(STAGE)/libexec/disbatch/disbatch --completions bash >$(STAGE)/share/bash-completion/completions/$$name && \
	    $(STAGE)/libexec/disbatch/disbatch --completions fish >$(STAGE)/share/fish/vendor_completions.d/$$name.fish \
	    || exit 1; \
	done
	cp Scripts/install-tree $(STAGE)/install
else
stage:
	@test -x $(STAGE)/install
endif

# What was built before is installed where Swift is not on PATH, as is usual under sudo.
install: ## build for release, and install to PREFIX=/usr/local
	@if command -v swift >/dev/null || [ ! -x $(STAGE)/install ]; then $(MAKE) --no-print-directory stage; fi
	@TREE=$(STAGE) Scripts/install-tree "$(PREFIX)"

dist: stage ## build for release, and pack what would be installed in dist/
	mkdir -p dist
	tar -C $(STAGE) -czf dist/$(ARCHIVE).tar.gz --sort=name --owner=0 --group=0 --numeric-owner \
	    --transform 's,^\.,disbatch-$(VERSION),' .
	@echo "dist/$(ARCHIVE).tar.gz: unpack it, and run disbatch-$(VERSION)/install [PREFIX]"

bench: check-swift build-packages ## measure speed and size
	@Scripts/install-packages $(BENCH_PACKAGES)
	Benchmarks/run

# ARGUMENTS: see Benchmarks/peers --help.
peers: check-swift build-packages ## measure disbatch and its peers side by side, in half an hour
	@Scripts/install-packages $(BENCH_PACKAGES)
	Benchmarks/peers $(ARGUMENTS)

plots: ## write docs/performance.md's tables and plots anew
	@Scripts/install-packages python3 python3-matplotlib
	Benchmarks/plot

costs: release ## count what a task costs, and hold it against limits
	@Scripts/install-packages $(COST_PACKAGES)
	Benchmarks/costs

lint: check-swift ## check the form of source, scripts and manual pages
	@Scripts/install-packages $(LINT_PACKAGES)
	@Scripts/lint

man: check-swift build-packages ## write the option lists of the manual pages anew
	DISBATCH_RECORD=1 swift test --filter OptionsTests

completions: check-swift build-packages ## write completion scripts to .build/completions
	swift build --product disbatch
	swift build --product dbutil
	mkdir -p .build/completions
	for name in disbatch dbutil; do for shell in bash zsh fish; do \
	    .build/debug/$$name --completions $$shell >.build/completions/$$name.$$shell || exit 1; \
	done; done

clean: ## remove all that was built
	rm -rf .build dist
