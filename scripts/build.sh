#!/bin/sh
# Installs the locked packages when they are stale, then compiles. Safe to repeat; quick when nothing changed: ./drydock runs it each time.
# Ends with 2 when Node is too old.
set -eu
cd "${0%/*}/.."

stale=yes
if [ -e dist/.built ] && [ -e dist/.build-id ] && [ -e node_modules/.drydock-installed ]; then
  # tsc's own up-to-date check costs a second; one find answers in a few milliseconds.
  stale=$(find package-lock.json package.json tsconfig.json domain workflows activities worker client config lab test bench \
    \( -name '*.ts' -o -name '*.json' \) -newer dist/.built -print -quit 2>/dev/null || true)
  [ node_modules/.drydock-installed -nt package-lock.json ] || stale=yes
fi
[ -n "$stale" ] || exit 0

if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
  echo "drydock: Node.js 20.19 or later is needed, found $(node --version). Install a newer one and run this again." >&2
  exit 2
fi
if [ ! -e node_modules/.package-lock.json ] || [ ! node_modules/.drydock-installed -nt package-lock.json ]; then
  echo 'drydock: installing packages (npm ci)' >&2
  npm ci --no-fund --no-audit --loglevel=error >&2
  touch node_modules/.drydock-installed
fi
[ -e dist/.built ] || echo 'drydock: compiling' >&2
started=$(mktemp "${TMPDIR:-/tmp}/drydock-build.XXXXXX")
trap 'rm -f "$started"' EXIT
node_modules/.bin/tsc -p tsconfig.json || exit 1
# What has no source any more must not be run.
find dist -name '*.js' ! -name workflow-bundle.js | while IFS= read -r file; do
  source=${file#dist/}
  [ -e "${source%.js}.ts" ] || rm -f "$file" "$file.map"
done
# The workflows as one file, and dist/.build-id: hashes of what a worker runs.
node dist/worker/bundle.js
# As old as the start of the build: what changed meanwhile is built next time.
touch -r "$started" dist/.built
