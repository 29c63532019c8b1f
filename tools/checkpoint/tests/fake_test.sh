#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The tools on a kernel that is played by fake_kernel.so.

# shellcheck source=tools/checkpoint/tests/tap.inc
. "$(dirname "$0")/tap.inc"

FAKE_IMAGE=$tmp/golden.img
export FAKE_IMAGE
"$build/tests/mkimage" >"$FAKE_IMAGE"

# Static tools cannot be fooled.
LD_PRELOAD=$build/tests/fake_kernel.so
export LD_PRELOAD
if ! checkpoint --check >/dev/null 2>&1; then
	unset LD_PRELOAD
	skip "the tools are static"
	finish
fi

# An unfinished file of this name is there; what ends the tool is caught by then.
is_begun() {
	[ -n "$(find "$tmp" -name "$1.??????")" ]
}

# fake NAME=VALUE... STATUS COMMAND...: with these variables.
fake() {
	vars=
	while :; do
		case $1 in
		FAKE_*=*)
			vars="$vars ${1%%=*}"
			# shellcheck disable=SC2163
			export "$1"
			shift
			;;
		*)
			break
			;;
		esac
	done
	run "$@"
	was=$?
	for var in $vars; do
		unset "$var"
	done
	return $was
}

run 0 checkpoint --check && grep -q '^file.socket.refused' "$tmp/out"
result "check"
run 0 checkpoint --check --json && tr -d ' \n' <"$tmp/out" |
	grep -q '{"family":"file","kind":"socket","status":"refused","about":"sockets"}'
result "check as JSON"

fake FAKE_ERRNO=1 1 checkpoint --check && grep -q kernel.unprivileged_checkpoint "$tmp/err"
result "check: a hint at the sysctl"

run 0 checkpoint -o "$tmp/a" 4711 && cmp "$FAKE_IMAGE" "$tmp/a" && [ ! -s "$tmp/out" ] && [ ! -s "$tmp/err" ]
result "an image, silently"
[ "$(stat -c %a "$tmp/a")" = 600 ]
result "for its owner only"
run 0 checkpoint 4711 && cmp "$FAKE_IMAGE" "$tmp/out"
result "to standard output"
run 1 checkpoint -o "$tmp/a" 4711 && run 0 checkpoint -fo "$tmp/a" 4711 && cmp "$FAKE_IMAGE" "$tmp/a"
result "again, with --force only"
echo precious >"$tmp/b"
fake FAKE_ERRNO=28 1 checkpoint -f -o "$tmp/b" 4711 && grep -q 'No space' "$tmp/err" &&
	[ "$(cat "$tmp/b")" = precious ]
result "a failure leaves the old image"
ln -s b "$tmp/link"
run 0 checkpoint -fo "$tmp/link" 4711 && [ -L "$tmp/link" ] && cmp "$FAKE_IMAGE" "$tmp/b"
result "a symlink stays one"
(cd "$tmp" && run 0 checkpoint -o plain 4711 && cmp "$FAKE_IMAGE" plain)
result "a name without a directory"
run 0 checkpoint -o /dev/null 4711 && [ -c /dev/null ]
result "a device stays one"
mkfifo "$tmp/fifo"
cat "$tmp/fifo" >"$tmp/got" &
run 0 checkpoint -o "$tmp/fifo" 4711 && wait $! && cmp "$FAKE_IMAGE" "$tmp/got" && [ -p "$tmp/fifo" ]
result "a FIFO too"
[ -z "$(find "$tmp" -name '*.??????')" ]
result "no unfinished file is left"

FAKE_SECONDS=30 checkpoint -o "$tmp/never" 4711 2>/dev/null &
pid=$!
within 20 is_begun never
result "while it is written it has another name"
sleep 0.5
kill -TERM $pid
wait $pid
[ $? -eq 143 ] && [ -z "$(find "$tmp" -name 'never*')" ]
result "a signal takes it away"

# A signal that comes while a disk is slow: with --kill there is nothing else left.
sleep 100 &
pid=$!
FAKE_SYNC=5 checkpoint --kill -o "$tmp/last" $pid 2>"$tmp/err" &
tool=$!
within 20 cmp -s "$FAKE_IMAGE" "$tmp/last"
result "the image of a process that --kill has killed has its name at once"
kill -TERM $tool
wait $tool && cmp "$FAKE_IMAGE" "$tmp/last" && grep -q 'a signal came; .* finished first' "$tmp/err"
result "and no signal takes it away; that it waits is told"
sleep 100 &
pid=$!
rm -f "$tmp/last"
FAKE_SYNC=5 checkpoint --kill $pid >"$tmp/last" 2>"$tmp/err" &
tool=$!
within 20 cmp -s "$FAKE_IMAGE" "$tmp/last"
sleep 0.5
kill -TERM $tool
wait $tool && cmp "$FAKE_IMAGE" "$tmp/last"
result "on standard output neither"
FAKE_SYNC=5 checkpoint -o "$tmp/never" 4711 &
tool=$!
within 20 is_begun never
sleep 0.5
kill -TERM $tool
wait $tool
[ $? -eq 143 ] && [ -z "$(find "$tmp" -name 'never*')" ]
result "nor does it leave one of a process that lives"
FAKE_SECONDS=30 checkpoint --kill -o "$tmp/never" 4711 2>"$tmp/err" &
tool=$!
within 20 is_begun never
sleep 0.5
kill -TERM $tool
wait $tool
[ $? -eq 143 ] && grep -q 'a signal came' "$tmp/err" && [ -z "$(find "$tmp" -name 'never*')" ]
result "--kill ends by a signal that came in time"
fake FAKE_SYNC_ERRNO=28 1 checkpoint --json -o "$tmp/never" 4711 && grep -q '"ok": *false' "$tmp/out" &&
	[ -z "$(find "$tmp" -name 'never*')" ]
result "a disk that fails at last: an error, in JSON too, and no file"
sleep 100 &
pid=$!
fake FAKE_SYNC_ERRNO=28 4 checkpoint --kill -o "$tmp/kept" $pid && grep -q 'the processes were killed' "$tmp/err" &&
	cmp "$FAKE_IMAGE" "$tmp"/kept
result "with --kill the file is kept, with an exit status of its own"
sleep 100 &
pid=$!
(FAKE_SECONDS=4 checkpoint --kill -o "$tmp/taken" $pid 2>"$tmp/err"; echo $? >"$tmp/status") &
tool=$!
within 20 is_begun taken
echo mine >"$tmp/taken"
wait $tool
[ "$(cat "$tmp/status")" = 4 ] && grep -q 'what was written is in' "$tmp/err" &&
	grep -q 'the processes were killed' "$tmp/err" && cmp "$FAKE_IMAGE" "$tmp"/taken.?????? && [ "$(cat "$tmp/taken")" = mine ]
result "when the name was taken meanwhile, it is told where the image is"
rm -f "$tmp"/taken.??????
# Descriptor 9 is a pipe that nobody reads any more.
open_deaf_pipe() {
	mkfifo "$tmp/deaf"
	exec 8<>"$tmp/deaf"
	exec 9>"$tmp/deaf" 8>&-
	rm -f "$tmp/deaf"
}

# The image is complete: what cannot be told now is no failure.
for kind in "--kill" ""; do
	sleep 100 &
	pid=$!
	# shellcheck disable=SC2086
	run 0 checkpoint $kind -f -v -l /dev/full -o "$tmp/kept" $pid && grep -q '/dev/full' "$tmp/err" &&
		grep -q "the image is complete${kind:+, the processes were killed}" "$tmp/err" && cmp "$FAKE_IMAGE" "$tmp/kept"
	result "a log on a full disk (${kind:-no --kill})"
	kill -KILL $pid 2>/dev/null
	wait $pid
	sleep 100 &
	pid=$!
	open_deaf_pipe
	# shellcheck disable=SC2086
	checkpoint $kind -f --json -o "$tmp/kept" $pid >&9 2>"$tmp/err" 9>&-
	[ $? -eq 0 ] && exec 9>&- && grep -q "the image is complete${kind:+, the processes were killed}" "$tmp/err"
	result "JSON whose reader is gone (${kind:-no --kill})"
	kill -KILL $pid 2>/dev/null
	wait $pid
done
sleep 100 &
pid=$!
fake FAKE_KILL=1 0 checkpoint --kill -f -o "$tmp/kept" $pid && ! kill -0 $pid 2>/dev/null
result "--kill waits until the pid is free"
sh -c 'sleep 100 & echo $! >"$0"; wait' "$tmp/child" &
pid=$!
within 20 [ -s "$tmp/child" ]
child=$(cat "$tmp/child")
(sleep 1; kill -KILL "$child") &
run 0 checkpoint --kill -f -o "$tmp/kept" $pid && ! grep -qs '^State:.[RSD]' "/proc/$child/status"
result "and those of descendants"
run 1 sh -c "ulimit -f 1; exec checkpoint 4711 >'$tmp/big'" && grep -q 'File too large' "$tmp/err"
result "a file that gets too large, on standard output"
rm -f "$tmp/big"
run 1 sh -c "ulimit -f 1; exec checkpoint -o '$tmp/big' 4711" && grep -q 'File too large' "$tmp/err" &&
	[ -z "$(find "$tmp" -name 'big*')" ]
result "a file that gets too large"
run 0 sh -c "exec checkpoint -v -o '$tmp/closed' 4711 <&- >&- 2>&-" && cmp "$FAKE_IMAGE" "$tmp/closed"
result "closed standard descriptors do not become the image"
run 1 sh -c "exec checkpoint --check >&-" && grep -q 'write error' "$tmp/err"
result "a closed standard output is told"

sleep 100 &
pid=$!
run 0 checkpoint -v --kill -o "$tmp/k" $pid && grep -q killed "$tmp/err"
result "--kill"
wait $pid
[ $? -eq 137 ]
result "and it is gone"
run 0 checkpoint -v -l "$tmp/log" --display-stats -o "$tmp/c" 4711 && grep -q 'checkpoint 42' "$tmp/err" &&
	grep -q 'checkpoint 42' "$tmp/log" && grep -q "image size: *$(wc -c <"$FAKE_IMAGE") bytes" "$tmp/err"
result "-v, -l, --display-stats"
checkpoint --display-stats 4711 2>"$tmp/err" | cat >"$tmp/e"
cmp "$FAKE_IMAGE" "$tmp/e" && ! grep -q size "$tmp/err" && grep -q 'checkpoint time' "$tmp/err"
result "--display-stats does not know the size of what went into a pipe"
run 0 checkpoint --json -o "$tmp/d" 4711 && grep -q '"crid": *42' "$tmp/out"
result "the result as JSON"
checkpoint --json 4711 >"$tmp/e" 2>"$tmp/err" && cmp "$FAKE_IMAGE" "$tmp/e" && grep -q '"crid": *42' "$tmp/err"
result "beside an image on standard output"

run 0 checkpoint -n 4711 && [ ! -s "$tmp/out" ] && [ ! -s "$tmp/err" ]
result "dry run: nothing against it"
FAKE_REASONS='errno=95 pid=17 comm=a\033\040b fd=5 kind=socket: sockets are not supported
errno=16 pid=17 vaddr=0x1000-0x2000 kind=vma: is shared
'
export FAKE_REASONS
fake FAKE_ERRNO=95 1 checkpoint -n 17 &&
	grep -q '^checkpoint: process 17 (a\\x1b b), fd 5, socket: sockets are not supported$' "$tmp/err" &&
	grep -q '^checkpoint: process 17, address 0x1000-0x2000, vma: is shared$' "$tmp/err" &&
	grep -q '(2 reasons): Operation not supported' "$tmp/err"
result "dry run: all reasons"
fake FAKE_ERRNO=95 1 checkpoint --json -n 17 && [ ! -s "$tmp/err" ] && tr -d ' \n' <"$tmp/out" |
	grep -q '"errno":16,"errno_name":"EBUSY","pid":17,"vaddr":{"start":4096,"end":8192},"kind":"vma"'
result "dry run: all reasons as JSON"
fake FAKE_ERRNO=95 1 checkpoint 17 && [ "$(wc -c <"$tmp/out")" -eq 4 ] && grep -q 'fd 5' "$tmp/err"
result "a refusal"
# A file of Joerg, with an umlaut, in UTF-8 and in Latin-1; what a terminal would obey.
FAKE_REASONS=$(printf 'errno=2 fd=3: lost: /home/j\303\266rg/\346\227\245 and /j\366rg\033 \302\233')
export FAKE_REASONS
shown=$(printf '/home/j\303\266rg/\346\227\245 and /j\\xf6rg\\x1b \\xc2\\x9b')
fake FAKE_ERRNO=2 1 checkpoint -n -l "$tmp/names" 17 && grep -qF "$shown" "$tmp/err" && grep -qF "$shown" "$tmp/names"
result "names in UTF-8 stay as they are, others can be told"
fake FAKE_ERRNO=2 1 checkpoint --json -n 17 && grep -qF "$(printf 'j\303\266rg')" "$tmp/out" &&
	grep -qF 'j\\xf6rg\\x1b' "$tmp/out"
result "in JSON too"
unset FAKE_REASONS
fake FAKE_ERRNO=1 1 checkpoint -n 17 && grep -q 'kernel.unprivileged_checkpoint' "$tmp/err"
result "a hint at the sysctl"

run 0 restart -i "$FAKE_IMAGE" && [ ! -s "$tmp/out" ] && [ ! -s "$tmp/err" ]
result "restart, silently"
run 0 sh -c "restart <'$FAKE_IMAGE'"
result "from standard input"
fake FAKE_EXIT=7 0 restart -w -i "$FAKE_IMAGE"
result "--wait"
fake FAKE_EXIT=7 7 restart --copy-status -i "$FAKE_IMAGE"
result "--copy-status"
fake FAKE_SIGNAL=9 137 restart --copy-status -i "$FAKE_IMAGE"
result "--copy-status after a signal"
fake FAKE_ERRNO=22 125 restart --copy-status -i "$FAKE_IMAGE"
result "--copy-status after a failure"
run 0 restart -v --pidfile "$tmp/pid" --display-stats -i "$FAKE_IMAGE" &&
	grep -q "process $(cat "$tmp/pid") runs again" "$tmp/err"
result "--pidfile, -v"
run 0 restart --json -i "$FAKE_IMAGE" && grep -q '"pid": *[1-9]' "$tmp/out"
result "the pid as JSON"
fake FAKE_SIGNAL=0 0 restart --stopped --pidfile "$tmp/pid" -i "$FAKE_IMAGE" &&
	within 20 grep -q '^State:.T' "/proc/$(cat "$tmp/pid")/status"
result "--stopped"
kill -KILL "$(cat "$tmp/pid")"
rm -f "$tmp/pid"
FAKE_SIGNAL=0 restart --copy-status --pidfile "$tmp/pid" -i "$FAKE_IMAGE" &
pid=$!
within 20 [ -s "$tmp/pid" ]
kill -USR1 $pid
wait $pid
[ $? -eq 138 ]
result "--wait passes signals on"
mkdir "$tmp/root"
if [ "$(id -u)" = 0 ]; then
	(cd "$tmp" && run 0 restart --root root --pidfile pid2 -i golden.img && [ -s pid2 ])
	result "--root: names are as outside"
else
	skip "--root needs root"
fi
FAKE_REASONS='errno=17: pid 5 is in use
'
export FAKE_REASONS
fake FAKE_ERRNO=17 1 restart -i "$FAKE_IMAGE" && grep -q -- '--fresh-pids.*still runs.*same files' "$tmp/err"
result "a hint at --fresh-pids"
fake FAKE_ERRNO=17 1 restart -F -i "$FAKE_IMAGE" && ! grep -q -- --fresh-pids "$tmp/err"
result "but not when it is used"
FAKE_REASONS='errno=22 rec=216 kind=mm: padding that is not zero
'
fake FAKE_ERRNO=22 1 restart --json -i "$FAKE_IMAGE" && grep -q '"rec": *216' "$tmp/out" && [ ! -s "$tmp/err" ]
result "the place in the image, as JSON"
unset FAKE_REASONS
fake FAKE_ERRNO=22 1 restart --pidfile "$tmp/pid3" -i "$FAKE_IMAGE" && [ ! -e "$tmp/pid3" ]
result "no pid file after a failure"

echo 4711 >"$tmp/pid3"
fake FAKE_ERRNO=22 1 restart --pidfile "$tmp/pid3" -i "$FAKE_IMAGE" && [ "$(cat "$tmp/pid3")" = 4711 ]
result "and one that was there stays as it was"
fake FAKE_ERRNO=22 1 restart --self --pidfile "$tmp/pid3" -i "$FAKE_IMAGE" && [ "$(cat "$tmp/pid3")" = 4711 ]
result "with --self too"
run 1 restart --root "$tmp/none" --pidfile "$tmp/pid4" -i "$FAKE_IMAGE" && [ -z "$(find "$tmp" -name 'pid4*')" ]
result "none after a failure before the call"
echo 1234567890123 >"$tmp/pid3"
run 0 restart -v --pidfile "$tmp/pid3" -i "$FAKE_IMAGE" && [ "$(wc -l <"$tmp/pid3")" -eq 1 ] &&
	grep -q "process $(cat "$tmp/pid3") runs again" "$tmp/err"
result "a pid file that was there holds the new pid, and nothing else"
ln -s pid3 "$tmp/pid5"
run 0 restart --pidfile "$tmp/pid5" -i "$FAKE_IMAGE" && [ -L "$tmp/pid5" ] && run 0 restart --pidfile "$tmp/pid6" -i "$FAKE_IMAGE" &&
	[ "$(stat -c %a "$tmp/pid6")" = 644 ] && [ -z "$(find "$tmp" -name 'pid6.*')" ]
result "a symlink to one stays, a new one is for all to read"

# It runs, and that cannot be told: restart goes on, its status is that of success.
fake FAKE_EXIT=7 7 restart --copy-status --pidfile /dev/full -i "$FAKE_IMAGE" && grep -q 'No space' "$tmp/err" &&
	grep -q 'process [0-9]* runs again' "$tmp/err"
result "a pid file that cannot be written at last"
fake FAKE_EXIT=7 7 sh -c "exec restart --copy-status --json -i '$FAKE_IMAGE' >/dev/full" &&
	grep -q 'process [0-9]* runs again' "$tmp/err"
result "JSON that cannot be written"
open_deaf_pipe
FAKE_EXIT=7 restart --copy-status --json -i "$FAKE_IMAGE" >&9 2>"$tmp/err" 9>&-
[ $? -eq 7 ] && exec 9>&- && grep -q 'process [0-9]* runs again' "$tmp/err"
result "JSON whose reader is gone"
fake FAKE_EXIT=7 7 restart --copy-status -l /dev/full -i "$FAKE_IMAGE" && grep -q '/dev/full' "$tmp/err"
result "a log that cannot be written"
run 0 restart -l /dev/full -i "$FAKE_IMAGE"
result "without --wait neither"
# Whether the disk has room is known before.
if [ "$(id -u)" = 0 ] && mkdir "$tmp/full" && mount -t tmpfs -o size=8k tmpfs "$tmp/full" 2>/dev/null; then
	head -c 8192 /dev/zero >"$tmp/full/file" 2>/dev/null
	: >"$tmp/full/pid"
	run 1 restart --pidfile "$tmp/full/pid" -i "$FAKE_IMAGE" && grep -q 'No space' "$tmp/err" &&
		run 1 restart --pidfile "$tmp/full/new" -i "$FAKE_IMAGE" && [ -z "$(find "$tmp/full" -name 'new*')" ]
	result "no room for a pid file: nothing is restarted"
	umount "$tmp/full"
else
	skip "no tmpfs of our own"
fi
# shellcheck disable=SC2002
cat "$FAKE_IMAGE" | restart --display-stats 2>"$tmp/err" && ! grep -q 'size' "$tmp/err" && grep -q 'restart time' "$tmp/err"
result "the size of what comes through a pipe is not known"

if have script; then
	unset LD_PRELOAD
	script -qec "checkpoint 1" /dev/null </dev/null >"$tmp/tty" 2>&1
	[ $? -eq 2 ] && grep -q 'not for a terminal' "$tmp/tty"
	result "no image to a terminal"
	LD_PRELOAD=$build/tests/fake_kernel.so FAKE_SECONDS=2 \
		script -qec "checkpoint -o $tmp/p 1" /dev/null </dev/null >"$tmp/tty" 2>&1
	[ $? -eq 0 ] && grep -q 'MiB written' "$tmp/tty" && cmp "$FAKE_IMAGE" "$tmp/p"
	result "progress on a terminal"

	# On a terminal, by a shell with jobs. await FILE: it is there, or some seconds are over.
	await() {
		within 20 [ -s "$1" ]
	}
	# leads FIELD: the process leads its group (5), or that in the foreground (8).
	leads() {
		[ "$(cut -d ' ' -f "$1" "/proc/$(cat "$tmp/jobpid")/stat")" = "$(cat "$tmp/jobpid")" ]
	}
	cat >"$tmp/job.sh" <<END
trap : INT
LD_PRELOAD=$build/tests/fake_kernel.so FAKE_SIGNAL=0 restart --copy-status --pidfile $tmp/jobpid -i $FAKE_IMAGE
echo \$? >$tmp/status1
fg
echo \$? >$tmp/status2
END
	{ await "$tmp/jobpid"; within 20 leads 5; sleep 0.3; printf '\003'; await "$tmp/status1"; } |
		FAKE_GROUP=1 timeout -k 1 90 script -qec "sh $tmp/job.sh" /dev/null >"$tmp/tty" 2>&1
	[ "$(cat "$tmp/status1")" = 130 ]
	result "--wait: Ctrl-C reaches a group that is not in the foreground"
	kill -KILL "$(cat "$tmp/jobpid")" 2>/dev/null
	rm -f "$tmp/jobpid" "$tmp/status1" "$tmp/status2"
	{
		await "$tmp/jobpid"; within 20 leads 8; sleep 0.3; printf '\032'
		await "$tmp/status1"; within 20 leads 8; sleep 0.3; printf '\003'
		await "$tmp/status2"
	} |
		FAKE_GROUP=2 timeout -k 1 90 script -qec "sh -m $tmp/job.sh" /dev/null >"$tmp/tty" 2>&1
	case "$(cat "$tmp/status1")" in
	147|148) [ "$(cat "$tmp/status2")" = 130 ] ;;
	*) false ;;
	esac
	result "--wait: Ctrl-Z gives the terminal back, fg goes on, Ctrl-C ends it"
	kill -KILL "$(cat "$tmp/jobpid")" 2>/dev/null
	rm -f "$tmp/jobpid"
else
	skip "no script(1)"
fi

finish
