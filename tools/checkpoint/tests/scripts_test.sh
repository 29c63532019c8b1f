#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What drives the project: its scripts leave nothing behind when they are ended.

# shellcheck source=tools/checkpoint/tests/tap.inc
. "$(dirname "$0")/tap.inc"

scripts=$tools/../../scripts
if [ ! -f "$scripts/lib.sh" ] || ! have bash; then
	skip "the tools are in a kernel's tree"
	finish
fi
mkdir -p "$tmp/top/scripts"
cp "$scripts/lib.sh" "$tmp/top/scripts/"
BUILD=$tmp/build
export BUILD

# wait_for FILE: until it is there, for some seconds.
wait_for() {
	within 30 [ -s "$1" ]
}

# heeds_hup PID: until a SIGHUP would be caught, which is after what it ends was started.
heeds_hup() {
	within 30 grep -qs '^SigCgt:.*[13579bdf]$' "/proc/$1/status"
}

has_ended() {
	! grep -qs '^State:.[RSD]' "/proc/$1/status"
}

# gone PID: it has ended, or does within some seconds.
gone() {
	within 30 has_ended "$1" && return
	kill -KILL "$1"
	return 1
}

# As make is a child of the shell that watches it.
cat >"$tmp/top/scripts/build" <<'END'
. "$(dirname "$0")/lib.sh"
work() { sleep 100 & echo $! >"$1"; wait; }
watched work "$logs/work" work "$1"
END
for signal in HUP TERM; do
	rm -f "$tmp/pid"
	bash "$tmp/top/scripts/build" "$tmp/pid" >"$tmp/out" 2>&1 &
	pid=$!
	wait_for "$tmp/pid"
	heeds_hup $pid
	kill -$signal $pid
	gone "$(cat "$tmp/pid")"
	result "SIG$signal ends what is watched, too"
	wait $pid 2>/dev/null
done

# A guest whose QEMU only sleeps.
if have mke2fs && have mkswap && have timeout; then
	cp "$scripts/guest" "$tmp/top/scripts/"
	mkdir -p "$tmp/bin" "$tmp/build/kernel-plain/arch/x86/boot"
	: >"$tmp/build/kernel-plain/arch/x86/boot/bzImage"
	cat >"$tmp/bin/qemu-system-x86_64" <<END
#!/bin/sh
echo "\$\$ \$*" >$tmp/qemu
exec sleep 100
END
	chmod 755 "$tmp/bin/qemu-system-x86_64"
	PATH=$tmp/bin:$PATH bash "$tmp/top/scripts/guest" test >"$tmp/out" 2>&1 &
	pid=$!
	wait_for "$tmp/qemu"
	[ "$(grep -o 'werror=report' "$tmp/qemu" | wc -l)" -eq 3 ]
	result "a full disk is an error in the guest, and does not stop it"
	heeds_hup $pid
	kill -HUP $pid
	read -r qemu _ <"$tmp/qemu"
	gone "$qemu"
	result "SIGHUP ends a guest"
	wait $pid 2>/dev/null
else
	skip "no mke2fs, mkswap or timeout"
fi

cat >"$tmp/top/scripts/locked" <<'END'
. "$(dirname "$0")/lib.sh"
alone "$state/lock" run
echo $$ >"$1"
[[ -z ${2:-} ]] || until [[ -e $2 ]]; do sleep 0.1; done
END
bash "$tmp/top/scripts/locked" "$tmp/first" "$tmp/end" &
pid=$!
wait_for "$tmp/first"
bash "$tmp/top/scripts/locked" "$tmp/second" >"$tmp/out" 2>&1 &
second=$!
within 30 grep -q "waiting for another run.*process $pid\b" "$tmp/out" && [ ! -e "$tmp/second" ]
result "a lock tells who has it"
: >"$tmp/end"
wait $pid
wait $second && [ -s "$tmp/second" ]
result "and is given on"

finish
