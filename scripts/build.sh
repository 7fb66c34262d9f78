#!/bin/sh
# Installs the locked packages when they are stale, then compiles. Safe to repeat; quick when nothing changed.
set -eu
cd "$(dirname "$0")/.."

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.drydock-installed ]; then
  echo 'drydock: installing packages (npm ci)' >&2
  npm ci --no-fund --no-audit --loglevel=error >&2
  touch node_modules/.drydock-installed
fi

# tsc's own up-to-date check costs a second; one find answers in a few milliseconds.
stale=yes
if [ -e dist/.built ]; then
  stale=$(find package.json tsconfig.json domain workflows activities worker client config lab test \
    -name '*.ts' -newer dist/.built -print -quit 2>/dev/null
    find package-lock.json tsconfig.json -newer dist/.built -print -quit 2>/dev/null)
fi
if [ -n "$stale" ]; then
  [ -e dist ] || echo 'drydock: compiling' >&2
  node_modules/.bin/tsc -p tsconfig.json
  if [ -e dist/worker/bundle.js ]; then node dist/worker/bundle.js; fi
  touch dist/.built
fi
