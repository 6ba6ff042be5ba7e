# Makefile - The short names for everything; CMakeLists.txt does the building.
#
#     make            release build into build/; the command is build/sanwo
#     make run        install what is missing, build, and run the demo
#     make test       install what is missing, build, and run every test
#     make check      build, test without root or network, and the machine-checked rules
#     make bench      build and run the benchmarks
#     make install    PREFIX=/usr/local, DESTDIR= for packagers
#     make format     put the C files into the project's format
#     make coverage   line coverage of src/tcp and src/wire
#     make fuzz       search for inputs that break something, a minute a target (SECONDS=600 for more)
#     make mutants    plant known bugs one by one and demand that the tests catch them
#     make clean

CMAKE ?= cmake
PREFIX ?= /usr/local
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
BUILD = env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL $(CMAKE) --build

all: release

need-cmake:
	@command -v $(CMAKE) >/dev/null || { \
	    echo 'cmake is not installed: "make run" or "scripts/install-deps --run" installs it' >&2; \
	    exit 1; }

release: need-cmake
	@$(CMAKE) --preset release
	@$(BUILD) build --parallel $(JOBS)

# The shell tests drive the release command; its asserting twin runs in the sanitizer build.
debug: need-cmake
	@$(CMAKE) --preset debug -DSANWO_COMMAND=$(CURDIR)/build/sanwo
	@$(BUILD) build/debug --parallel $(JOBS)

asan: need-cmake
	@$(CMAKE) --preset asan
	@$(BUILD) build/asan --parallel $(JOBS)

run:
	@scripts/install-deps --run
	@$(MAKE) --no-print-directory release
	@build/sanwo demo

test:
	@scripts/install-deps --run --test
	@$(MAKE) --no-print-directory release
	@$(MAKE) --no-print-directory debug
	@scripts/run-tests build/debug

check: release debug
	@scripts/check build

bench: release
	@scripts/bench build

install: release
	@$(CMAKE) -DCMAKE_INSTALL_PREFIX=$(PREFIX) build >/dev/null
	@DESTDIR=$(DESTDIR) $(CMAKE) --install build

format:
	@scripts/check_format.sh --fix

coverage: need-cmake
	@scripts/install-deps --run --test --coverage
	@$(CMAKE) --preset coverage
	@$(BUILD) build/coverage --parallel $(JOBS)
	@scripts/coverage build/coverage

SECONDS ?= 60
fuzz: need-cmake
	@scripts/install-deps --run --fuzz
	@scripts/fuzz --seconds $(SECONDS)

mutants:
	@scripts/install-deps --run --test
	@scripts/mutants --jobs $(JOBS)

clean:
	rm -rf build

.PHONY: all need-cmake release debug asan run test check bench install format coverage fuzz mutants clean
