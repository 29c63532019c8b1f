# SPDX-License-Identifier: GPL-2.0
# Sourced after lib.sh: walks the steps that scripts/steps lists.
# shellcheck shell=bash

# each_step FUNCTION: calls 'FUNCTION patch NAME' or 'FUNCTION files SUBJECT BODY FILE...' (files as the kernel names them).
each_step() {
	local function=$1 word rest subject body='' paths=() used=' ' name line
	local -A taken=()
	flush() {
		local path files=()
		((${#paths[@]})) || return 0
		while read -r name; do
			[[ -z ${taken[$name]:-} ]] || continue
			for path in "${paths[@]}"; do
				if [[ $name == "$path"/* || $name == "$path" ]]; then
					files+=("$name")
					taken[$name]=1
					break
				fi
			done
		done <"$state/overlay"
		paths=()
		((!${#files[@]})) || "$function" files "$subject" "$body" "${files[@]}"
	}
	while IFS= read -r line; do
		word=${line%% *}
		rest=${line#* }
		case $word in
		'>')
			body+=$rest$'\n'
			;;
		files)
			flush
			subject=${rest#*| }
			body=''
			read -ra paths <<<"${rest%% |*}"
			;;
		patches)
			flush
			for name in $(series); do
				[[ $used != *" $name "* ]] || continue
				# shellcheck disable=SC2053
				if [[ $rest == '!'* && $name == ${rest#!} ]] || [[ $rest != '!'* && $name != $rest ]]; then
					continue
				fi
				used+="$name "
				"$function" patch "$name"
			done
			;;
		esac
	done <"$top/scripts/steps"
	flush
	while read -r name; do
		[[ -n ${taken[$name]:-} ]] || die "no step in scripts/steps takes $name."
	done <"$state/overlay"
}
