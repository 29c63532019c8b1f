#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Options and exit codes of the tools.

# shellcheck source=tools/checkpoint/tests/tap.inc
. "$(dirname "$0")/tap.inc"

for tool in checkpoint restart ckptinfo; do
	run 0 $tool --help && grep -q "^Usage: $tool" "$tmp/out" && [ ! -s "$tmp/err" ]
	result "$tool --help"
	run 0 $tool --version && grep -q "^$tool (libcheckpoint) [0-9]" "$tmp/out"
	result "$tool --version"
	run 2 $tool --no-such-option && [ ! -s "$tmp/out" ] && grep -q -- "--help" "$tmp/err"
	result "$tool: unknown option"
	run 1 sh -c "$tool --help >/dev/full"
	result "$tool --help to a full disk"
	# Whatever the help names, the parser takes, and the man page tells.
	$tool --help | grep -o -- '--[a-z][a-z-]*' | sort -u >"$tmp/options"
	good=0
	while read -r option; do
		case $option in
		--help|--version) continue ;;
		esac
		grep -q "\"${option#--}\"" "$tools/$tool.c" || good=1
		grep -q -- "${option#--}" "$tools/man/$tool.1" || {
			echo "# $option is not in $tool.1"; good=1; }
	done <"$tmp/options"
	# And whatever the parser takes, both tell.
	sed -n 's/^\t{ "\([a-z-]*\)",.*_argument.*/\1/p' "$tools/$tool.c" >"$tmp/options"
	[ -s "$tmp/options" ] || good=1
	while read -r option; do
		$tool --help | grep -qE -- "--$option([^a-z-]|\$)" && grep -qE -- "Fl $option( |\$)" "$tools/man/$tool.1" || {
			echo "# --$option is not told"; good=1; }
	done <"$tmp/options"
	[ "$good" -eq 0 ]
	result "$tool: options and documents agree"
done

for args in "" "x" "-1" "0" "1 2" "1x" "99999999999" "--check 1" "--check --dry-run" "--check --tcp-close" \
	"--dry-run" "--dry-run -o $tmp/x 1" "--dry-run --kill 1" \
	"--kill --leave-running 1" "-t 1 2" "-o" "--external 1" "--external 5 1" \
	"--external fd:x 1" "--external fd: 1" "--external :5 1" "--external 0:5 1" \
	"--external fd:5= 1" "--external fd:-1 1" "--check --external fd:1"; do
	# shellcheck disable=SC2086
	run 2 checkpoint $args && [ -s "$tmp/err" ] && [ ! -s "$tmp/out" ]
	result "checkpoint $args: wrong use"
done
[ ! -e "$tmp/x" ]
result "nothing was written"

for args in "x" "--self --wait" "--self --copy-status" "--self --pid" "--map-users 0:0:1" "-i" "--inherit fd:5" \
	"--inherit fd:5=" "--inherit fd:5=x" "--inherit 5=6" "--inherit fd:5=6=7" \
	"--copy-status --inherit fd:5"; do
	case $args in
	*copy*) want=125 ;;
	*) want=2 ;;
	esac
	# shellcheck disable=SC2086
	run $want restart $args && [ -s "$tmp/err" ]
	result "restart $args: wrong use"
done
run 2 ckptinfo --json --records x
result "ckptinfo: two ways at a time"
run 2 ckptinfo x y
result "ckptinfo: two images"

echo precious >"$tmp/old"
run 1 checkpoint -o "$tmp/old" $$ && grep -q -- --force "$tmp/err" &&
	[ "$(cat "$tmp/old")" = precious ]
result "an existing file is not overwritten"
run 1 checkpoint -o "$tmp" $$
result "a directory is no image"
run 1 checkpoint -o "$tmp/no/such" $$
result "a directory that is not there"
run 1 checkpoint --force -o "" $$ && grep -q 'No such file' "$tmp/err"
result "an empty name"
ln -s "$tmp/no/such" "$tmp/dangling"
run 1 checkpoint -o "$tmp/dangling" $$ && grep -q -- --force "$tmp/err" && [ -L "$tmp/dangling" ]
result "a symlink to nothing is not replaced"
rm "$tmp/dangling"
# shellcheck disable=SC2016
run 2 sh -c 'exec checkpoint -o "$0" $$' "$tmp/x" && grep -q itself "$tmp/err"
result "not of itself"
run 1 restart -i "$tmp/none" && grep -q none "$tmp/err"
result "restart: no image"
run 125 restart --copy-status -i "$tmp/none"
result "restart --copy-status: its own failures are 125"
run 1 restart --pidfile "$tmp/no/such" -i "$tmp/old"
result "restart: no place for the pid file"
for name in "" / . "$tmp"; do
	run 1 restart --pidfile "$name" -i "$tmp/old"
	result "restart: '$name' is no pid file"
done

checkpoint --check >/dev/null 2>&1
if [ $? -eq 3 ]; then
	run 3 checkpoint --check && grep -q 'CONFIG_CHECKPOINT_RESTART' "$tmp/err"
	result "--check tells that the kernel cannot"
	run 3 checkpoint --dry-run $$ && grep -q 'CONFIG_CHECKPOINT_RESTART' "$tmp/err"
	result "--dry-run tells that the kernel cannot"
	run 3 checkpoint -o "$tmp/new" $$ && grep -q 'CONFIG_CHECKPOINT_RESTART' "$tmp/err"
	result "checkpoint tells that the kernel cannot"
	[ "$(ls "$tmp")" = "$(printf 'err\nold\noptions\nout')" ]
	result "and leaves no file behind"
	run 3 checkpoint -f -o "$tmp/old" $$ && [ "$(cat "$tmp/old")" = precious ]
	result "nor takes one away"
	run 3 checkpoint --json --dry-run $$ && grep -q '"errno_name": *"ENOSYS"' "$tmp/out"
	result "in JSON too"
	run 3 checkpoint -l "$tmp/log" --dry-run $$ && grep -q CONFIG "$tmp/log"
	result "and in the log file"
	run 3 restart -i "$tmp/old" && grep -q 'CONFIG_CHECKPOINT_RESTART' "$tmp/err"
	result "restart tells that the kernel cannot"
	run 125 restart --copy-status --pidfile "$tmp/pid" -i "$tmp/old" && [ ! -e "$tmp/pid" ]
	result "restart --copy-status: 125, and no pid file"
else
	skip "this kernel has checkpoint/restart"
fi

finish
