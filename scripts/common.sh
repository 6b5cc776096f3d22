# SPDX-License-Identifier: MIT
# common.sh - functions that the scripts share: messages, ports, waiting, counting of tests.
# Scripts source it.
#
# TEST_RESULTS names the file of the counts.  A script that runs tests appends lines "PASSED FAILED
# LABEL"; the script that created the file adds them up.  So a script counts the same way alone and
# as a part of scripts/test.
# shellcheck shell=bash

# shellcheck disable=SC2034 # for those who source this
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# need PURPOSE [PACKAGE...]: if one of these packages of scripts/bootstrap, or any package of the
# purpose, is missing, names it and ends the script.
need() {
	"$root/scripts/bootstrap" --need "$@" || exit 1
}

# free_ports COUNT: prints different unused ports, one a line.  They are below the range that the
# kernel gives to clients, so that no connection takes one meanwhile.  Each worker of the end-to-end
# tests has its own ports, as in tests/e2e/harness/process.py.
free_ports() {
	local port given=' ' left=$1
	local workers=${PYTEST_XDIST_WORKER_COUNT:-1} worker=${PYTEST_XDIST_WORKER:-gw0}

	while [ "$left" -gt 0 ]; do
		port=$((20000 + RANDOM % (12000 / workers) * workers + ${worker#gw}))
		[[ $given != *" $port "* ]] || continue
		! grep -qi "$(printf ':%04X ' "$port")" /proc/net/tcp /proc/net/tcp6 2>/dev/null || continue
		given+="$port "
		left=$((left - 1))
		printf '%s\n' "$port"
	done
}

# http_get PORT PATH: prints the response of a server on 127.0.0.1, with its headers.  It uses bash
# and cat alone, as other programs may be missing.
http_get() (
	exec 3<>"/dev/tcp/127.0.0.1/$1"
	printf 'GET %s HTTP/1.0\r\n\r\n' "$2" >&3
	cat <&3
)

# A zombie has ended too: an init that does not reap leaves zombies.
is_running() {
	[ -r "/proc/$1/stat" ] && ! grep -qE '^[0-9]+ \(.*\) Z' "/proc/$1/stat"
} 2>/dev/null

# wait_gone SECONDS PID...: waits until they have ended; fails if one still runs after that time.
wait_gone() {
	local end=$((SECONDS + $1)) pid

	shift
	for pid in "$@"; do
		while is_running "$pid"; do
			[ $SECONDS -lt "$end" ] || return
			sleep 0.02
		done
	done
}

results_init() {
	results_owned=
	if [ -z "${TEST_RESULTS:-}" ]; then
		TEST_RESULTS=$(mktemp)
		export TEST_RESULTS
		results_owned=1
	fi
	trap results_release EXIT
	results_before=$(wc -l <"$TEST_RESULTS")
}

results_release() {
	[ -z "$results_owned" ] || rm -f "$TEST_RESULTS"
	[ -z "${background_pid:-}" ] || kill -- "-$background_pid" 2>/dev/null || true
}

# results_add PASSED FAILED LABEL
results_add() {
	printf '%s %s %s\n' "$1" "$2" "$3" >>"$TEST_RESULTS"
}

# Prints "PASSED FAILED" of all lines after the first BEFORE.
results_sum() {
	awk -v before="$1" 'NR > before { p += $1; f += $2 } END { print p + 0, f + 0 }' "$TEST_RESULTS"
}

# Fails if a test failed, or none ran, since results_init.  The outermost script prints the last
# line.
results_end() {
	local passed failed

	read -r passed failed < <(results_sum "$results_before")
	if [ -n "$results_owned" ]; then
		awk '$2 > 0 { sub(/^[0-9]+ [0-9]+ /, "failed: "); print }' "$TEST_RESULTS"
		printf '%s passed, %s failed\n' "$passed" "$failed"
	fi
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# gate LABEL COMMAND...: counts COMMAND as one test, and shows its output if it fails.  With status
# 77 COMMAND has checked nothing, and its output says why; then it does not count.
gate() {
	local label=$1 start=$SECONDS output status=0

	shift
	output=$("$@" 2>&1) || status=$?
	case $status in
	0)
		printf '  ok    %s (%s s)\n' "$label" $((SECONDS - start))
		results_add 1 0 "$label"
		;;
	77) printf '  skip  %s: %s\n' "$label" "$output" ;;
	*)
		printf '%s\n  FAIL  %s (%s s)\n' "$output" "$label" $((SECONDS - start))
		results_add 0 1 "$label"
		;;
	esac
}

# suite LABEL COMMAND...: runs COMMAND, which counts its own tests.  If it fails, or counts none,
# that is a failure too.
suite() {
	local label=$1 status=0 before passed failed

	shift
	printf '%s\n' "$label"
	before=$(wc -l <"$TEST_RESULTS")
	"$@" || status=$?
	read -r passed failed < <(results_sum "$before")
	if [ "$failed" -eq 0 ] && { [ "$status" -ne 0 ] || [ "$passed" -eq 0 ]; }; then
		results_add 0 1 "$label: ended with status $status after $passed tests"
	fi
}

# background_start COMMAND...: runs a suite, or a function of several suites, while the script goes
# on; one at a time.  It counts in its own file, so that suite() notices if it counts nothing.  It
# is a process group, so that none of its processes outlives the script.
background_start() {
	background=$(mktemp -d)
	: >"$background/results"
	set -m
	TEST_RESULTS=$background/results "$@" >"$background/output" 2>&1 </dev/null &
	set +m
	background_pid=$!
}

# Waits for the background command, shows its output, and adds its counts.
background_end() {
	wait "$background_pid" || results_add 0 1 'the command in the background'
	background_pid=
	cat "$background/output"
	cat "$background/results" >>"$TEST_RESULTS"
	rm -rf "$background"
}
