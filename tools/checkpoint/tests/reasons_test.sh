#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# libcheckpoint itself.

# shellcheck source=tools/checkpoint/tests/tap.inc
. "$(dirname "$0")/tap.inc"

exec "$build/tests/reasons"
