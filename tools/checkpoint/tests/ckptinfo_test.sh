#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# ckptinfo on an image that holds a record of every type.

# shellcheck source=tools/checkpoint/tests/tap.inc
. "$(dirname "$0")/tap.inc"

img=$tmp/golden.img
"$build/tests/mkimage" >"$img"
result "the image is made"
size=$(wc -c <"$img")

run 0 ckptinfo --validate "$img" && [ ! -s "$tmp/out" ] && [ ! -s "$tmp/err" ]
result "validate: sound, and silent"
run 0 ckptinfo -c -v "$img" && grep -q sound "$tmp/err"
result "validate -v says so"
ckptinfo --validate <"$img" 2>"$tmp/err"
result "from standard input"
# shellcheck disable=SC2002
cat "$img" | ckptinfo --validate 2>"$tmp/err"
result "from a pipe"
(echo junk && cat "$img") >"$tmp/behind" &&
	(read -r _ && ckptinfo --validate) <"$tmp/behind" 2>"$tmp/err"
result "from the middle of a file"

run 0 ckptinfo "$img" && grep -q '^task ' "$tmp/out" &&
	grep -q '^000000400000-000000410000 ' "$tmp/out" &&
	grep -q '12 KiB' "$tmp/out" && grep -q 'kernel 6.12.0-golden' "$tmp/out" &&
	grep -q '^5 pages' "$tmp/out" && grep -q '^files' "$tmp/out"
result "summary"
run 0 ckptinfo --records "$img" &&
	[ "$(grep -c ', crc32c 0x' "$tmp/out")" -eq "$("$build/ckptinfo" -v -c "$img" 2>&1 |
		sed 's/.* \([0-9]*\) records.*/\1/')" ]
result "records: all of them"
! grep -q 'CKPT_FIELD' "$tmp/out" && LC_ALL=C grep -q 'page_size = 4096' "$tmp/out"
result "records: fields"
! tr -d '\n\t' <"$tmp/out" | LC_ALL=C grep -q '[[:cntrl:]]'
result "records: nothing that a terminal obeys"

run 0 ckptinfo --rewrite "$tmp/again" "$img" && cmp -s "$img" "$tmp/again"
result "there and back: the same bytes"
# shellcheck disable=SC2002
cat "$img" | ckptinfo --rewrite - >"$tmp/again2" && cmp -s "$img" "$tmp/again2"
result "there and back through pipes"
run 1 ckptinfo --rewrite "$tmp/again" "$img" && grep -q force "$tmp/err"
result "rewrite does not overwrite"
run 0 ckptinfo --force --rewrite "$tmp/again" "$img"
result "rewrite --force does"

run 0 ckptinfo --json "$img"
result "json"
if have python3; then
	python3 - "$tmp/out" "$size" <<'END'
import json, sys
tree = json.load(open(sys.argv[1], encoding="utf-8"))
assert tree["format"] == "checkpoint-image" and tree["schema"] == 1
records = tree["records"]
assert records[0]["type"] == "HEADER" and records[-1]["type"] == "END"
assert records[0]["payload"]["task_size"] == 0x7ffffffff000
summary = tree["summary"]
assert summary["valid"] is True
assert summary["bytes"] == int(sys.argv[2])
assert summary["records"] == len(records)
assert summary["pages"] == 5 and summary["tasks"] == 1
at = 0
for rec in records:
    assert rec["offset"] == at, rec
    for key in ("type", "type_nr", "version", "flags", "len", "objref", "crc32c"):
        assert key in rec
    assert "payload" in rec or "rest" in rec
    at += 24 + (rec["len"] + 7) // 8 * 8
    if "pages_bytes" in rec:
        at = rec["pages_offset"] + rec["pages_bytes"]
assert at == summary["bytes"]
END
	result "json: what it says is so"
else
	skip "json: no python3"
fi

# Faults: each is found, and at its place.
run 1 ckptinfo --validate /dev/null && grep -q 'offset 0: the image is empty' "$tmp/err"
result "empty"
head -c 1000 /dev/zero >"$tmp/bad"
run 1 ckptinfo --validate "$tmp/bad" && grep -q 'not a checkpoint image' "$tmp/err"
result "no image"
run 1 ckptinfo --validate "$tmp" && run 1 ckptinfo "$tmp/nothing"
result "a directory, a missing file"
(cat "$img" && printf x) >"$tmp/bad"
run 1 ckptinfo --validate "$tmp/bad" && grep -q "offset $size: something" "$tmp/err"
result "a byte too much"
good=0
for cut in 1 8 23 24 25 100 239 240 241 300 4000 4096 8191 8192 8193 20000 $((size - 1)); do
	head -c "$cut" "$img" >"$tmp/bad"
	run 1 ckptinfo --validate "$tmp/bad" && grep -q "offset $cut: " "$tmp/err" || good=1
	# shellcheck disable=SC2002
	cat "$tmp/bad" | ckptinfo --validate 2>"$tmp/err" && good=1
	grep -q "offset $cut: " "$tmp/err" || good=1
done
[ "$good" -eq 0 ]
result "cut off: the place where it ends"
cp "$img" "$tmp/bad"
printf '\377' | dd of="$tmp/bad" bs=1 seek=24 conv=notrunc 2>/dev/null
run 1 ckptinfo --validate "$tmp/bad" && grep -q 'offset 0: checksum' "$tmp/err"
result "a changed byte"
run 1 ckptinfo --json "$tmp/bad" && grep -q '"valid": false' "$tmp/out"
result "json tells of a fault too"
rm -f "$tmp/again"
run 1 ckptinfo --rewrite "$tmp/again" "$tmp/bad" && [ ! -e "$tmp/again" ]
result "rewrite of a bad image leaves nothing"
cp "$img" "$tmp/bad"
# comm or the like: a byte of a string, whose change only the checksum sees.
printf 'X' | dd of="$tmp/bad" bs=1 seek=$((24 + 80)) conv=notrunc 2>/dev/null
run 1 ckptinfo --validate "$tmp/bad" &&
	run 0 ckptinfo --no-checksum --rewrite "$tmp/again" "$tmp/bad" &&
	run 0 ckptinfo --validate "$tmp/again"
result "rewrite mends checksums"

run 1 sh -c "ckptinfo '$img' >/dev/full" && grep -q 'write error' "$tmp/err"
result "a full disk is told"

run 0 "$build/tests/fuzz" "$img" 1000
result "cut off at every byte, and changed at random, under sanitizers"
sed 's/^/# /' "$tmp/out"

finish
