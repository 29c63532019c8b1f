# SPDX-License-Identifier: GPL-2.0
# Drives the project; it is not a part of the kernel tree. 'make help' tells what there is.

KSRC ?= /usr/src/linux-source-6.12.tar.xz
FLAVOUR ?=
TEST ?=
SCALE ?=
ACCEL ?= tcg
ifeq ($(BUILD),)
BUILD := $(CURDIR)/build
endif
export KSRC ACCEL BUILD

# One after another, each with all processors.
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory
unexport MAKEFLAGS MFLAGS

.PHONY: help deps source kernel rootfs demo test apps shell bench lint hooks series bisect check-last clean

help:
	@echo 'make demo        a program is checkpointed, the machine powered off and on, the program restarted'
	@echo 'make test        all tests, on the kernels plain and memory; CHECKS=1 adds the kernel locking, lint, hooks and'
	@echo '                 the kernel without us; FLAVOUR=plain|memory|locking|host and TEST=name choose a part,'
	@echo '                 SCALE=20 has twenty times as many random trees and images, on slow kernels 1 has all'
	@echo 'make apps        real programs (PostgreSQL, redis, tmux, ...) checkpointed under load; more than make test has'
	@echo 'make shell       a shell in a guest with the tools in it'
	@echo 'make bench       measures, prints a table, writes build/bench.json'
	@echo 'make lint        checkpatch --strict, sparse, man pages'
	@echo 'make check-last  the last step of the series builds with the option off and on'
	@echo 'make bisect      every step of the series does'
	@echo 'make series      the mailing-list series in build/series'
	@echo 'make hooks       what the patches touch, against patches/BUDGET'
	@echo 'make kernel      only builds a kernel (FLAVOUR=plain); make source: only build/linux; make rootfs: the guest'
	@echo 'make deps        installs the Debian packages that are missing (every target does)'
	@echo 'make clean       removes build/'
	@echo 'Variables: KSRC=a tarball or clean tree of Linux 6.12.y, BUILD=another directory, ACCEL=kvm, JOBS=N'

deps:
	@scripts/deps

source: deps
	@scripts/assemble

kernel: source
	@scripts/kernel $(or $(FLAVOUR),plain)

rootfs: source
	@scripts/rootfs

demo: source
	@scripts/demo

test: source
	@FLAVOUR='$(FLAVOUR)' TEST='$(TEST)' SCALE='$(SCALE)' scripts/test

apps: source
	@TEST='$(TEST)' scripts/apps

shell: source
	@[ "$$(id -u)" = 0 ] || { echo "the guest's files belong to root; only root can make them." >&2; exit 1; }
	@scripts/kernel $(or $(FLAVOUR),plain)
	@scripts/rootfs
	@scripts/guest -i -f $(or $(FLAVOUR),plain) -d "$(BUILD)/run/shell.disk" shell

bench: source
	@scripts/bench

lint: source
	@scripts/lint

hooks: source
	@scripts/hookstat

series: source
	@scripts/mkseries

bisect: source
	@scripts/check-each

check-last: source
	@scripts/check-each --last

clean:
	@[ ! -e "$(BUILD)" ] || [ -e "$(BUILD)/state/ours" ] || [ -e "$(BUILD)/state/source" ] || { echo "$(BUILD) was not made here; nothing is removed." >&2; exit 1; }
	rm -rf "$(BUILD)"
