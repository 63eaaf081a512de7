#!/usr/bin/env bash
# Kills, restarts and stops the built server under load, at full scale, and prints what became of the events. Some ten minutes,
# on a machine with nothing else to do: a restart has ten seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

export KILLS=${KILLS:-50} ACKS=${ACKS:-100000} ROUNDS=${ROUNDS:-20}
npx tap test/faults/kill.test.ts test/faults/sigterm.test.ts --disable-coverage --jobs=1 --timeout=3600 --reporter=tap |
  grep -E --line-buffered '^ +not ok|^ {4}ok|^ +# [^S].*acknowledged|# SKIP|^# \{ total'
