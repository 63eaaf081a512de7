#!/usr/bin/env bash
# Kills, restarts and stops the built server, PostgreSQL, Redis and the broker under load, takes them away and lets them
# hang for a minute, at full scale, and prints what became of the events. The machine must have no other work: a restart
# has ten seconds.
set -euo pipefail
cd "$(dirname "$0")/.."

export KILLS=${KILLS:-50} ACKS=${ACKS:-100000} ROUNDS=${ROUNDS:-20}
export RUNS=${RUNS:-10} PACKINGS=${PACKINGS:-event,flush} SECONDS_AWAY=${SECONDS_AWAY:-10}
export DOWN_SECONDS=${DOWN_SECONDS:-60} HANG_ROUNDS=${HANG_ROUNDS:-12} CLIENTS=${CLIENTS:-1000}
faults=(
  test/faults/{kill,counts,metrics,refused-kill,sigterm,postgres-outage,postgres-hang,vanishing-clients,clock-steps}.test.ts
  test/faults/{redis-outage,broker,server-on-nats,instances,rolling-restart}.test.ts
)
npx tap "${faults[@]}" --disable-coverage --jobs=1 --timeout=3600 --reporter=tap |
  grep -E --line-buffered '^ +not ok|^ {4}ok|^ +# [^S].*(acknowledged|clients)|# SKIP|^# \{ total'
