#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The man pages are clean and complete.

# shellcheck source=tools/checkpoint/tests/tap.inc
. "$(dirname "$0")/tap.inc"

for page in "$tools"/man/*.[125]; do
	name=$(basename "$page")
	if have mandoc; then
		run 0 mandoc -T lint -W warning "$page" && [ ! -s "$tmp/out" ] || {
			sed 's/^/# /' "$tmp/out"; false; }
		result "mandoc: $name"
	else
		skip "no mandoc"
	fi
done

good=0
image=$tools/../../include/uapi/linux/checkpoint_image.h
for type in $(sed -n 's/^#define CKPT_REC_\([A-Z0-9_]*\)[[:space:]].*/\1/p' "$image"); do
	grep -qw "$type" "$tools/man/checkpoint-image.5" || {
		echo "# $type is not in checkpoint-image.5"; good=1; }
done
[ "$good" -eq 0 ]
result "checkpoint-image.5 lists all records"

good=0
abi=$tools/../../include/uapi/linux/checkpoint.h
for flag in $(sed -n 's/^#define \(\(CHECKPOINT\|RESTART\)_[A-Z_]*\)\t*(1UL << [0-9]*)/\1/p' "$abi"); do
	page=$(echo "${flag%%_*}" | tr '[:upper:]' '[:lower:]').2
	grep -qw "$flag" "$tools/man/$page" || {
		echo "# $flag is not in $page"; good=1; }
done
[ "$good" -eq 0 ]
result "checkpoint.2 and restart.2 tell all flags"

finish
