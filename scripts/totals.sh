#!/bin/sh
# totals.sh LOG: what a suite's output says of itself, as `PASSED FAILED SKIPPED`. Its last `N passed, N failed` line counts, else mocha's own
# `N passing`, `N failing`, `N pending`. Ends with 1 and prints nothing when there are no totals.
set -eu
esc=$(printf '\033')
sed "s/$esc\\[[0-9;]*m//g" "$1" | awk '
  /^[ \t]*[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?[ \t\r]*$/ { plain = 1; p = $1 + 0; f = $3 + 0; s = (NF > 4 ? $5 + 0 : 0) }
  /^[ \t]*[0-9]+ passing( \(.*\))?[ \t\r]*$/ { mocha = 1; mp = $1 + 0; mf = 0; ms = 0 }
  /^[ \t]*[0-9]+ failing[ \t\r]*$/ { mf = $1 + 0 }
  /^[ \t]*[0-9]+ pending[ \t\r]*$/ { ms = $1 + 0 }
  END { if (plain) print p, f, s; else if (mocha) print mp, mf, ms; else exit 1 }'
