# SPDX-License-Identifier: GPL-2.0
# Sourced by the other scripts: where things are, and how they speak.
# shellcheck shell=bash disable=SC2034

# What a developer, or a hook of git, has in the environment would lead elsewhere.
# The guest's files are for all its users, whatever the umask is.
unset CDPATH ARCH SUBARCH CROSS_COMPILE LLVM LOCALVERSION KBUILD_OUTPUT KCONFIG_CONFIG KCFLAGS MAKEFLAGS MFLAGS "${!GIT_@}"
umask 022

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=${BUILD:-$top/build}
[[ $build == /* ]] || build=$PWD/$build
tree=$build/linux
state=$build/state
logs=$build/log
jobs=${JOBS:-$(nproc)}

# Objects must not depend on who builds them, when, and where: a fresh clone then hits the compiler cache.
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026'
export KBUILD_BUILD_USER=checkpoint KBUILD_BUILD_HOST=guest KBUILD_BUILD_VERSION=1
export CCACHE_BASEDIR=$build CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
export LC_ALL=C

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

[[ $top$build != *[[:space:]:,\;#%\$\'\"\\]* ]] ||
	die "a kernel cannot be built in a path with blanks, colons and the like; move $top, or name another with BUILD=."
# What is in it is replaced without a question.
[[ -e $state/source || -e $state/ours || ! -e $build || -z $(ls -A "$build" 2>/dev/null) ]] ||
	die "$build holds other things than a build of ours; name another directory with BUILD=."
{ mkdir -p "$state" "$logs" && touch "$state/ours"; } 2>/dev/null ||
	die "cannot write to $build; name another directory with BUILD=."

# alone FILE WHAT: waits until nobody else does this in the same build directory. What outlives its script, such as a
# guest, still uses the files there, so it keeps the lock.
alone() {
	exec {lock}>>"$1"
	flock -n "$lock" || { say "  waiting for another $2 in $build (process $(cat "$1"), or what it started)"; flock "$lock"; }
	say $$ >"$1"
}

need_root() {
	((EUID == 0)) || die "the guest's files belong to root; only root can make them."
}

need() {
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || die "the tool '$tool' is missing; 'make deps' installs it."
	done
}

compiler=gcc
if command -v ccache >/dev/null; then
	compiler='ccache gcc'
fi

# kmake OUTDIR ARGS...: the kernel's make, with its output outside of the source tree.
kmake() {
	local out=$1
	shift
	mkdir -p "$out"
	make -C "$tree" O="$out" CC="$compiler" HOSTCC="$compiler" -j"$jobs" "$@"
}

# watched NAME LOG COMMAND...: runs the command with its output in LOG; every few seconds one line says how far it is.
# At a failure the last lines of the log are shown.
watched() {
	local name=$1 log=$2 pid status=0 start=$SECONDS next=5
	shift 2
	mkdir -p "$(dirname "$log")"
	# In a process group of its own, so that all of it can be ended: a command in the background does not see Ctrl-c.
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	pid=$!
	set +m
	trap 'kill -- "-$pid" 2>/dev/null; exit 130' HUP INT TERM
	while kill -0 "$pid" 2>/dev/null; do
		sleep 0.2
		if ((SECONDS - start >= next)); then
			next=$((SECONDS - start + 5))
			say "  $name: $(grep -cE '^  (CC|LD|AR|AS|HOSTCC|GEN) ' "$log" || true) steps, $((SECONDS - start)) s"
		fi
	done
	wait "$pid" || status=$?
	trap - HUP INT TERM
	if ((status)); then
		grep -nE 'error:|Error [0-9]|undefined reference|No rule' "$log" | head -n 20 >&2 || true
		tail -n 15 "$log" >&2
		die "$name failed; the whole log is ${log#"$top"/}"
	fi
	say "  $name: done in $((SECONDS - start)) s"
}

# The names of the patches, in order.
series() {
	[[ -f $top/patches/series ]] || return 0
	sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$top/patches/series"
}

# The files that a patch touches, as the kernel names them.
touched() {
	sed -n 's,^+++ b/\([^[:space:]]*\).*,\1,p' "$@" | sort -u
}

# What a kernel must never say: prints it with what follows, and succeeds, if the console log holds any.
splats() {
	grep -anE -A 40 'WARNING: |BUG: |BUG kmem|UBSAN: |INFO: (task|rcu|trying|lockdep)|rcu: INFO|possible (recursive|circular|irq)|suspicious RCU|Kernel panic|Oops: |general protection fault|kmemleak: [0-9]+ new|refcount_t: |stack segment|DEBUG_LOCKS' "$1"
}
