#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The tools on a kernel with checkpoint/restart: checkpoint, restart and ckptinfo of real processes. Prints TAP.

# shellcheck disable=SC2317

LC_ALL=C
export LC_ALL
tmp=$(mktemp -d /tmp/tools_test.XXXXXX) || exit 1
cd "$tmp" || exit 1

nr=0
failed=0
pids=

clean() {
	for pid in $pids; do
		kill -KILL "$pid" 2>/dev/null
	done
	cd /
	rm -rf "$tmp"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

# result WHAT: by the exit status of what came before.
result() {
	status=$?
	nr=$((nr + 1))
	if [ "$status" -eq 0 ]; then
		echo "ok $nr $1"
	else
		for file in "$tmp"/*.out "$tmp"/*.err; do
			[ -s "$file" ] && head -n 20 "$file" | sed "s,^,# ${file##*/}: ,"
		done
		echo "not ok $nr $1"
		failed=1
	fi
	rm -f "$tmp"/*.out "$tmp"/*.err
}

skip() {
	nr=$((nr + 1))
	echo "ok $nr # SKIP $1"
}

finish() {
	echo "1..$nr"
	exit "$failed"
}

# run STATUS COMMAND...: its output is in run.out and run.err.
run() {
	want=$1
	shift
	"$@" >run.out 2>run.err </dev/null
	got=$?
	[ "$got" -eq "$want" ] && return
	echo "# $*: exit status $got, not $want"
	return 1
}

have() {
	command -v "$1" >/dev/null 2>&1
}

# within SECONDS COMMAND...: until it succeeds. A machine may be slow, and stand still for a while.
within() {
	tries=$(($1 * 10))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

state_is() {
	case $1 in
	*"$(sed 's/.*) \(.\).*/\1/' "/proc/$2/stat" 2>/dev/null || echo gone)"*) return 0 ;;
	esac
	return 1
}

# is STATE-LETTERS PID: for some seconds it is waited for.
is() {
	within 60 state_is "$@"
}

is_gone() {
	[ ! -d "/proc/$1" ] || state_is Z "$1"
}

# runs PID WORDS: its command line begins with these, maybe behind a path.
runs() {
	case $(tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline") in
	"$2 "* | */"$2 "*) return 0 ;;
	esac
	return 1
}

# Ends a process that may be nobody's child here any more.
end() {
	kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	while [ -d "/proc/$1" ] && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; do
		sleep 0.05
	done
	return 0
}

# start COMMAND...: in a session of its own, without a terminal; $pid.
start() {
	setsid "$@" </dev/null >/dev/null 2>&1 &
	pid=$!
	pids="$pids $pid"
	# A copy of this shell becomes setsid, and that becomes the command when its name shows.
	within 60 runs $pid "$1 $2"
	sleep 0.2
}

for tool in checkpoint restart ckptinfo; do
	if ! have $tool; then
		echo "1..0 # SKIP no $tool"
		exit 0
	fi
done
checkpoint --check >check.out 2>check.err
if [ $? -eq 3 ]; then
	echo "1..0 # SKIP the kernel has no checkpoint/restart"
	exit 0
fi

# --- what the kernel can -----------------------------------------------------

run 0 checkpoint --check && grep -q 'saved' run.out && grep -q 'refused' run.out
result "check: a table of what is saved and refused"
checkpoint --check | grep -v '^#' >query
run 0 env DOCUMENT=/tests/checkpoint.txt /tests/coverage --check query
result "the table in Documentation/checkpoint.txt is this kernel's"
run 0 checkpoint --check --json && grep -q '"kinds"' run.out
result "check: as JSON"

# --- checkpoint --------------------------------------------------------------

start sleep 1000
run 0 checkpoint --dry-run $pid && [ ! -s run.out ] && [ ! -s run.err ]
result "dry run of sleep: nothing against it, nothing printed"
run 0 checkpoint --dry-run --json $pid && grep -q '"ok": *true' run.out
result "dry run as JSON"

run 0 checkpoint -o sleep.img $pid && [ ! -s run.out ] && [ ! -s run.err ] && [ -s sleep.img ]
result "checkpoint of sleep to a file, silently"
is SR $pid
result "it runs on"
[ "$(stat -c %a sleep.img)" = 600 ]
result "the image is for its owner only"
run 0 ckptinfo --validate sleep.img
result "the image is sound"
run 0 ckptinfo --rewrite again.img sleep.img && cmp sleep.img again.img
result "decode and encode gives the same bytes"
run 0 ckptinfo sleep.img && grep -q "^task $pid (" run.out && grep -q 'ANON' run.out
result "ckptinfo tells whose it is"
run 0 ckptinfo --records sleep.img && grep -q X86_REGS run.out
result "ckptinfo --records"
run 0 ckptinfo --json sleep.img && grep -q '"valid": true' run.out
result "ckptinfo --json"
if have python3; then
	ckptinfo --json sleep.img | python3 -c '
import json, sys
tree = json.load(sys.stdin)
assert all("payload" in r or "rest" in r for r in tree["records"])
assert all("rest" not in r for r in tree["records"]), [r["type"] for r in tree["records"] if "rest" in r]
' >json.out 2>json.err
	result "all bytes of all records have names"
else
	skip "no python3"
fi

cp sleep.img before.img
run 1 checkpoint -o sleep.img $pid && grep -q -- --force run.err && cmp sleep.img before.img
result "an image is not overwritten"
run 0 checkpoint --force -o sleep.img $pid && ckptinfo --validate sleep.img
result "but with --force"
cp sleep.img before.img
run 1 checkpoint --force -o sleep.img 2147483647 && cmp sleep.img before.img
result "a checkpoint that fails takes no image away"
run 1 checkpoint -o none.img 2147483647 && grep -qi 'no such process' run.err && [ ! -e none.img ]
result "no such process: no image"
[ -z "$(find . -name '*.img.*')" ]
result "no unfinished file is left"

run 0 checkpoint -v --display-stats -l log.txt -o stats.img $pid &&
	grep -q "process $pid" run.err && grep -q 'image size' run.err && grep -q "process $pid" log.txt
result "-v, -l and --display-stats"
checkpoint $pid >stdout.img 2>stdout.err && ckptinfo --validate stdout.img
result "to standard output"
checkpoint $pid 2>pipe.err | ckptinfo --validate 2>info.err
result "to a pipe"
if mkdir full && mount -t tmpfs -o size=16k full full 2>/dev/null; then
	checkpoint $pid >full/img 2>full.err
	[ $? -eq 1 ] && grep -qi 'no space' full.err && is SR $pid
	result "to a full disk: an error, and it runs on"
	umount full
else
	skip "no tmpfs of our own"
fi
run 0 checkpoint --json -o json.img $pid && grep -q '"crid": *[1-9]' run.out
result "the result as JSON"

run 0 checkpoint --kill -o killed.img $pid && within 60 is_gone $pid && ckptinfo --validate killed.img
result "--kill: saved, and gone"
wait $pid 2>/dev/null

# --- refusals ----------------------------------------------------------------

if have python3; then
	start python3 -c '
import socket, time
a = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
b = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
time.sleep(1000)'
	has_sockets() {
		fds=$(find "/proc/$pid/fd" -type l -exec ls -l {} + | sed -n 's,.*fd/\([0-9]*\) -> socket.*,\1,p')
		[ "$(printf '%s' "$fds" | grep -c .)" -ge 2 ]
	}
	within 60 has_sockets
	good=1
	run 1 checkpoint --dry-run $pid && good=0
	for fd in $fds; do
		grep -q "fd $fd\b.*ocket" run.err || good=1
	done
	[ $good -eq 0 ] && [ -n "$fds" ]
	result "dry run: both sockets are named, with their descriptors"
	run 1 checkpoint --dry-run --json $pid && grep -q '"fd": *[0-9]' run.out && grep -q '"errno": *95' run.out
	result "and in JSON"
	run 1 checkpoint -o socket.img $pid && [ ! -e socket.img ] && is SR $pid
	result "checkpoint: refused, no image, it runs on"
	end $pid
else
	skip "no python3"
fi

# --- restart -----------------------------------------------------------------

start sleep 1000
saved=$pid
checkpoint --kill -o sleep.img --force $pid
end $pid
run 0 restart -i sleep.img && [ ! -s run.out ] && [ ! -s run.err ]
result "restart with the saved pid, silently"
is SR $saved && tr '\0' ' ' <"/proc/$saved/cmdline" | grep -q 'sleep 1000'
result "it is there again, under its pid"
run 1 restart -i sleep.img && grep -q -- '--fresh-pids.*same files' run.err
result "a pid in use: refused, with a hint"
if [ "$(id -u)" = 0 ] && [ "$saved" -gt 400 ]; then
	max=$(cat /proc/sys/kernel/pid_max)
	echo 400 >/proc/sys/kernel/pid_max
	run 1 restart -i sleep.img && grep -q "pid $saved is not below kernel.pid_max" run.err && grep -q -- --fresh-pids run.err
	result "a pid that this kernel does not have: refused, with a hint"
	echo "$max" >/proc/sys/kernel/pid_max
else
	skip "the pid is low, or cannot be made high"
fi
run 0 restart --fresh-pids --pidfile pid -i sleep.img && new=$(cat pid) && [ "$new" != "$saved" ] && is SR "$new"
result "--fresh-pids, --pidfile"
pids="$pids $new"
run 0 restart --fresh-pids --stopped --pidfile pid -i sleep.img && stopped=$(cat pid) && is T "$stopped"
result "--stopped"
pids="$pids $stopped"
kill -CONT "$stopped" && is SR "$stopped"
result "and goes on"
run 0 restart --fresh-pids --json -i sleep.img && other=$(sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' run.out) && is SR "$other"
result "--json tells the pid"
pids="$pids $other"
checkpoint "$new" 2>first.err | restart --fresh-pids --pidfile pid 2>second.err && is SR "$(cat pid)"
result "checkpoint | restart"
pids="$pids $(cat pid)"
for each in $pids; do
	kill -KILL "$each" 2>/dev/null
done
pids=

sh -c 'exec setsid restart --self --fresh-pids -i sleep.img' >self.out 2>self.err &
self=$!
pids=$self
is SR $self
has_become_it() {
	tr '\0' ' ' 2>/dev/null <"/proc/$self/cmdline" | grep -q '^[^ ]*sleep 1000'
}
within 60 has_become_it
tr '\0' ' ' <"/proc/$self/cmdline" 2>/dev/null | grep -q '^[^ ]*sleep 1000'
result "--self --fresh-pids: restart becomes the process"
end $self

start sh -c 'trap "exit 7" USR1; : >trapped; while :; do :; done'
within 60 [ -e trapped ]
checkpoint --kill -o spin.img $pid >spin.out 2>spin.err
result "checkpoint of a shell that spins"
end $pid
restart --fresh-pids --copy-status --pidfile spin.pid -i spin.img >wait.out 2>wait.err &
waiter=$!
within 60 [ -s spin.pid ]
kill -USR1 "$(cat spin.pid)"
wait $waiter
[ $? -eq 7 ]
result "--copy-status: its exit status"
rm -f spin.pid
restart --fresh-pids --copy-status --pidfile spin.pid -i spin.img >wait.out 2>wait.err &
waiter=$!
within 60 [ -s spin.pid ]
kill -KILL "$(cat spin.pid)"
wait $waiter
[ $? -eq 137 ]
result "--copy-status: 128 and the signal"
rm -f spin.pid
restart --fresh-pids --wait --pidfile spin.pid -i spin.img >wait.out 2>wait.err &
waiter=$!
within 60 [ -s spin.pid ]
kill -USR1 $waiter
wait $waiter
[ $? -eq 0 ]
result "--wait: passes signals on, and does not tell how it ended"

# --- open files that stay outside ----------------------------------------------

mkfifo ticks
cat ticks >/dev/null &
reader=$!
setsid sh -c 'i=0; while :; do i=$((i + 1)); [ $((i % 1000)) -ne 0 ] || echo tick; done' >ticks 2>/dev/null </dev/null &
pid=$!
pids="$pids $pid $reader"
within 60 runs $pid "sh -c"
run 1 checkpoint --dry-run $pid && grep -q 'fd 1\b.*held by a process outside' run.err
result "the other end of a pipe is somebody else's"
run 1 checkpoint --external fd:99 -o ext.img $pid && grep -q 'fd 99\b.*not open' run.err && [ ! -e ext.img ]
result "--external of what is not open"
run 0 checkpoint --dry-run --external $pid:1 $pid
result "--dry-run --external PID:N"
run 0 checkpoint --kill --external fd:1 -o ext.img $pid
result "--external fd:N"
end $pid
kill $reader 2>/dev/null
run 0 ckptinfo ext.img && grep -q "FILE_EXTERNAL.*outside, as $pid:1" run.out
result "ckptinfo tells it"
run 1 restart -i ext.img && grep -q "$pid:1 was a pipe outside, and nothing is given" run.err
result "nothing is given for it"
run 1 restart --inherit fd:1=0 -i ext.img && grep -q 'what is given for it is a character device' run.err
result "--inherit of another sort of file"
# The image would be descriptor 7, as the first one that is free.
run 1 sh -c 'exec 3</dev/null 4<&3 5<&3 6<&3 7<&-; exec restart --inherit fd:1=7 -i ext.img' &&
	grep -q 'fd:1=7: Bad file descriptor' run.err
result "--inherit of what is not open"
{ restart --inherit fd:1=1 -i ext.img 2>ext.err || echo "failed"; } | head -n 3 >ext.out
[ "$(tr '\n' ' ' <ext.out)" = "tick tick tick " ]
result "--inherit fd:N=FD"
# The reader is gone, which ends it.
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	kill -0 $pid 2>/dev/null || break
	sleep 0.1
done

echo data >data
start sh -c 'exec 3<data; sleep 1000'
within 60 [ -e "/proc/$pid/fd/3" ]
run 0 checkpoint --kill -o copied.img $pid
result "a process with an open file"
end $pid
cp data data.new
mv data.new data
touch data
run 1 restart --fresh-pids -i copied.img && grep -q 'replaced since the checkpoint, or copied without its times: .*/data' run.err
result "a copy without the times of the file: refused, and why"

head -c 5000 sleep.img >short.img
run 125 restart --fresh-pids --copy-status -i short.img && [ -s run.err ]
result "an image that is cut off: 125, and a reason"
run 1 restart --fresh-pids -i short.img && grep -q 'offset' run.err
result "with the offset in the image"
run 1 restart --fresh-pids --json -i short.img && grep -q '"rec": *[0-9]' run.out
result "in JSON too"
cp sleep.img flipped.img
printf '\252' | dd of=flipped.img bs=1 seek=300 conv=notrunc 2>dd.err
run 1 restart --fresh-pids -i flipped.img && run 1 ckptinfo --validate flipped.img
result "a changed byte: kernel and ckptinfo both refuse it"
run 1 restart --fresh-pids -i /dev/null && run 1 restart --fresh-pids -i /proc/version
result "no image"

# --- namespaces -----------------------------------------------------------------

is_written() {
	[ "$(cat name 2>/dev/null)" = "$1" ]
}

# written TEXT: the target says again and again who its host is.
written() {
	rm -f name
	within 60 is_written "$1" && return 0
	echo "# the host is '$(cat name)' and not '$1'"
	return 1
}

if have unshare && [ "$(id -u)" = 0 ] && unshare --uts --ipc --pid --mount --fork true 2>/dev/null; then
	host=$(cat /proc/sys/kernel/hostname)
	cat >inside.sh <<'END'
echo inside >/proc/sys/kernel/hostname
while :; do cat /proc/sys/kernel/hostname >name.new; echo $$ >self.new; mv self.new self; mv name.new name; sleep 0.1; done
END
	start unshare --uts --ipc --pid --mount --fork sh inside.sh
	outer=$pid
	written inside && [ "$(cat self)" = 1 ]
	result "a tree in namespaces of its own"
	pid=
	for stat in /proc/[0-9]*/stat; do
		read -r child _ _ parent _ 2>/dev/null <"$stat"
		[ "$parent" = "$outer" ] && pid=$child
	done
	run 0 checkpoint --kill -o inside.img "$pid"
	result "is saved"
	run 0 ckptinfo --validate inside.img && ckptinfo inside.img >info.out && grep -q inside info.out
	result "with the name of its host"
	end "$outer"
	run 1 restart -i inside.img && grep -q 'namespace' run.err
	result "is not restarted without them"
	run 0 restart --uts --ipc --pid --mount --pidfile inside.pid -i inside.img
	result "is restarted in new ones"
	inside=$(cat inside.pid 2>/dev/null || echo $$)
	written inside && [ "$(cat self)" = 1 ] && [ "$(cat /proc/sys/kernel/hostname)" = "$host" ]
	result "with the name of its host there, and only there"
	[ "$inside" = $$ ] || end "$inside"
	start sleep 1000
	run 0 checkpoint --kill -o alone.img $pid
	result "a process for namespaces of its own"
	end $pid
	if [ -e /proc/self/ns/time ]; then
		run 0 restart --time --pidfile sleep.pid -i alone.img && is SR "$(cat sleep.pid)" &&
			! cmp -s /proc/self/timens_offsets "/proc/$(cat sleep.pid)/timens_offsets"
		result "--time: other clocks"
		kill -KILL "$(cat sleep.pid)"
	fi
	run 0 restart --user --fresh-pids --pidfile sleep.pid -i alone.img && is SR "$(cat sleep.pid)" &&
		grep -q '^ *0 *0 *1$' "/proc/$(cat sleep.pid)/uid_map"
	result "--user: a map of one user"
	kill -KILL "$(cat sleep.pid)"
	run 0 sh -c 'trap "" CHLD; exec restart --user --fresh-pids --pidfile sleep.pid -i alone.img' && is SR "$(cat sleep.pid)"
	result "--user, with SIGCHLD ignored before"
	kill -KILL "$(cat sleep.pid)"
else
	skip "no namespaces"
fi

# --- without privilege --------------------------------------------------------

# busybox' setpriv cannot change users.
user=
if setpriv --reuid 1000 true 2>/dev/null; then
	user='setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps=-all --bounding-set=-all'
elif have su && grep -q '^user:' /etc/passwd; then
	user=su
fi
as_user() {
	case $user in
	su) su user -s /bin/sh -c "$*" ;;
	*) $user sh -c "$*" ;;
	esac
}
if [ -n "$user" ] && [ "$(id -u)" = 0 ] && as_user true 2>/dev/null; then
	chmod 755 "$tmp"
	mkdir "$tmp/user" && chown 1000:1000 "$tmp/user"
	start sleep 1000
	as_user "checkpoint --dry-run $pid" >user.out 2>user.err
	[ $? -eq 1 ] && grep -q 'permi' user.err
	result "a process of another user: no permission"
	end $pid
	cat >user.sh <<END
cd "$tmp/user" || exit 1
setsid sleep 1000 </dev/null >/dev/null 2>&1 &
for _ in \$(seq 300); do
	grep -q '^sleep' /proc/\$!/cmdline && break
	sleep 0.1
done
sleep 0.2
checkpoint --kill -o own.img \$!
END
	own=$tmp/user/own.img
	as_user "sh '$tmp/user.sh'" >user.out 2>user.err && [ -s "$own" ]
	result "one's own process: saved without privilege"
	as_user "restart -i '$own'" >user.out 2>user.err
	[ $? -eq 1 ] && grep -q -- --fresh-pids user.err
	result "its pid needs privilege: refused, with a hint"
	as_user "ulimit -p 1 2>/dev/null || ulimit -u 1; exec restart --fresh-pids -i '$own'" >user.out 2>user.err
	[ $? -eq 1 ] && grep -q RLIMIT_NPROC user.err
	result "too many processes of this user: what the limit is called"
	as_user "restart --fresh-pids --pidfile '$tmp/user/new' -i '$own'" >user.out 2>user.err && is SR "$(cat "$tmp/user/new")"
	result "with a fresh pid it needs none"
	kill -KILL "$(cat "$tmp/user/new")" 2>/dev/null
else
	skip "no way to be another user"
fi

finish
