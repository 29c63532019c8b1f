#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The headers compile alone; what is installed can be used; the generator is
# strict.

# shellcheck source=tools/checkpoint/tests/tap.inc
. "$(dirname "$0")/tap.inc"
: "${CC:=gcc}" "${CXX:=g++}"

for header in linux/checkpoint.h linux/checkpoint_image.h; do
	echo "#include <$header>" >"$tmp/t.c"
	# Flexible arrays are all that C++ lacks.
	run 0 "$CC" -std=c99 -Wall -Wextra -Werror -I"$build/include" -fsyntax-only "$tmp/t.c"
	result "$header compiles alone in C"
	if have "$CXX"; then
		run 0 "$CXX" -x c++ -Wall -Wextra -Werror -I"$build/include" -fsyntax-only "$tmp/t.c"
		result "$header compiles alone in C++"
	else
		skip "no C++ compiler"
	fi
done

sed -n 's/^\t\(ckpt_[a-z_]*\);/\1/p' "$lib/libcheckpoint.map" | sort >"$tmp/map"
nm -D --defined-only "$build/libcheckpoint.so" | awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' |
	sort >"$tmp/symbols"
cmp "$tmp/map" "$tmp/symbols"
result "the library exports what the version script lists"
good=0
while read -r symbol; do
	grep -q "\b$symbol(" "$lib/checkpoint.h" || good=1
done <"$tmp/map"
[ "$good" -eq 0 ]
result "the header declares all of it"
[ -z "$(nm "$build/libcheckpoint.a" | awk 'NF == 3 && $2 ~ /^[bBdDC]$/')" ]
result "the library has no variables"

run 0 make -C "$tools" O="$build" install DESTDIR="$tmp/root" PREFIX=/usr
result "install"
cat >"$tmp/use.c" <<'END'
#include <checkpoint/checkpoint.h>
#include <stdio.h>

int main(void)
{
	struct ckpt_opts opts = CKPT_OPTS_INIT;

	opts.flags = CKPT_DRY_RUN;
	puts(ckpt_version());
	return ckpt_checkpoint(1, -1, &opts) == 12345;
}
END
PKG_CONFIG_PATH=$tmp/root/usr/lib/pkgconfig
PKG_CONFIG_SYSROOT_DIR=$tmp/root
PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1
PKG_CONFIG_ALLOW_SYSTEM_LIBS=1
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_ALLOW_SYSTEM_CFLAGS PKG_CONFIG_ALLOW_SYSTEM_LIBS
# shellcheck disable=SC2046
run 0 "$CC" -Wall -Wextra -Werror "$tmp/use.c" -o "$tmp/use" \
	$(pkg-config --cflags --libs libcheckpoint) &&
	[ "$(LD_LIBRARY_PATH=$tmp/root/usr/lib "$tmp/use")" = "$(pkg-config --modversion libcheckpoint)" ]
result "a program against the shared library, by pkg-config"
if have "$CXX"; then
	# shellcheck disable=SC2046
	run 0 "$CXX" -x c++ -Wall -Wextra -Werror "$tmp/use.c" -fsyntax-only \
		$(pkg-config --cflags libcheckpoint)
	result "a C++ program"
else
	skip "no C++ compiler"
fi
unset PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_ALLOW_SYSTEM_CFLAGS PKG_CONFIG_ALLOW_SYSTEM_LIBS
good=0
for page in man1/checkpoint.1 man1/restart.1 man1/ckptinfo.1 man2/checkpoint.2 man2/restart.2 \
	man5/checkpoint-image.5; do
	[ -s "$tmp/root/usr/share/man/$page" ] || good=1
done
[ "$good" -eq 0 ]
result "the man pages are installed"

# gen-records must not guess.
gen() {
	printf '#define CKPT_REC_A 0x1U\nstruct ckpt_rec_hdr {\n\t__u32 type;\n};\n%b' "$1" >"$tmp/in.h"
	perl "$tools/gen-records" "$tmp/in.h" "$tmp/t.c" "$tmp/t.h" 2>"$tmp/err"
}
good='/* rec: A */\nstruct a {\n\t__u32 x;\t/* text */\n\t__u16 y[2];\n\tckpt_ref_t z[];\n};\n'
gen "$good"
result "generator: the simple form"
gen '/* rec: A, min 4 */\nstruct a {\n\t__u32 x;\n\t__u32 y;\n};\n' && grep -q '"A", CKPT_REC_A, 4,' "$tmp/t.c"
result "generator: a struct that grew"
refuses() {
	! gen "$1" && grep -q "in.h:\|nothing" "$tmp/err"
	result "generator refuses $2"
}
refuses '/* rec: A */\nstruct a {\n\t__u32 x;\n\t__u64 y;\n};\n' "implicit padding"
refuses '/* rec: A */\nstruct a {\n\t__u64 x;\n\t__u32 y;\n};\n' "implicit padding at the end"
refuses '/* rec: A */\nstruct a {\n\tunsigned int x;\n};\n' "other types"
refuses '/* rec: A */\nstruct a {\n\t__u32 *x;\n};\n' "pointers"
refuses '/* rec: A */\nstruct a {\n\t__u32 x, y;\n};\n' "two members in a line"
refuses '/* rec: A */\nstruct a {\n\t__u32 x:3;\n};\n' "bit fields"
refuses '/* rec: A */\nstruct a {\n\t__u8 x[N];\n};\n' "array lengths that are no number"
refuses '/* rec: A */\nstruct a {\n\t__u32 n;\n\t__u8 x[];\n\t__u32 y;\n};\n' "members behind a flexible array"
refuses '/* rec: A */\nstruct a {\n\tstruct b x;\n};\n' "unknown structs"
refuses '/* rec: A */\nstruct a {\n\tunion {\n\t__u32 x;\n\t};\n};\n' "unions"
refuses '/* rec: B */\nstruct a {\n\t__u32 x;\n};\n' "unknown record types"
refuses '/* rec: A */\n\nstruct a {\n\t__u32 x;\n};\n' "a gap behind rec:"
refuses '/* rec: A */\nstruct a {\n\t__u32 x;\n};\n/* rec: A */\nstruct b {\n\t__u32 x;\n};\n' "two structs of a record"
refuses '#define CKPT_REC_B 0x1U\n' "two types of a number"
refuses 'struct a {\n\t__u32 x;\n};\n' "structs that nothing uses"
refuses 'enum e { X };\n' "what it does not know"

finish
