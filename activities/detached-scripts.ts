/**
 * The shell side of detached steps, as fixed POSIX scripts. Everything that varies comes in as an argument.
 *
 * The record of an attempt is a directory: `command` (what runs, as JSON), `begin` ("boot-id epoch", made once and for all
 * by whoever runs the command), `output`, and `exit` ("code epoch"). The record tells the truth; the unit only tells
 * whether something still runs.
 */

/**
 * Runs inside the unit: $1 the record directory, then the command. At most one of these ever gets past the claim,
 * whatever raced to start it, and even when the unit's name was free again.
 */
const WRAPPER = `dir=$1; shift
# The claim and what it says come into being in one atomic step: link(2) fails when the name is there.
printf '%s %s\\n' "$(cat /proc/sys/kernel/random/boot_id)" "$(date +%s)" >"$dir/begin.$$" || exit 75
if ! ln "$dir/begin.$$" "$dir/begin" 2>/dev/null; then
  rm -f "$dir/begin.$$"
  [ -e "$dir/begin" ] || { echo "drydock: cannot write to $dir" >&2; exit 75; }
  echo 'drydock: this step was begun before; nothing is done'
  exit 0
fi
rm -f "$dir/begin.$$"
# Room for the result is taken now, so that a disk that fills up meanwhile does not swallow it.
printf '%-30s\\n' '' >"$dir/exit.tmp" || exit 75
# On disk before the command runs: after a power cut the claim must be there, or the command would run twice.
sync "$dir/begin" "$dir/exit.tmp" "$dir" "\${dir%/*}" 2>/dev/null || sync
# At shutdown systemd signals only this shell (KillMode=mixed). Caught, not ignored: the command would inherit that.
told=no
trap 'told=yes' TERM INT HUP
"$@" >"$dir/output" 2>&1 </dev/null
code=$?
# It failed while the node went down, or was ended together with us: no result of its own. Without an end in the record it counts as interrupted.
if [ "$told" = yes ] && [ "$code" != 0 ]; then exit "$code"; fi
printf '%-30s\\n' "$code $(date +%s)" 1<>"$dir/exit.tmp" || exit 75
sync "$dir/output" "$dir/exit.tmp" 2>/dev/null || sync
mv "$dir/exit.tmp" "$dir/exit"
sync "$dir" 2>/dev/null || sync
exit "$code"
`;

/** Sets state, code, begun, ended. Needs dir and unit. */
const STATE = `
unit_state() {
  # Result and ExecMainStatus are never asked: of a unit that does not exist they say success.
  case $(systemctl show --property=ActiveState "$unit" 2>/dev/null) in
  ActiveState=active | ActiveState=activating | ActiveState=reloading | ActiveState=deactivating) echo alive ;;
  ActiveState=inactive | ActiveState=failed) echo gone ;;
  *) echo unknown ;;
  esac
}
read_exit() {
  [ -e "$dir/exit" ] || return 1
  read -r code ended <"$dir/exit" && [ -n "$code" ] || return 1
  state=finished
}
look() {
  state=absent code=- begun=- ended=- boot=-
  if read -r boot begun 2>/dev/null <"$dir/begin"; then
    read_exit && return
    if [ "$boot" != "$(cat /proc/sys/kernel/random/boot_id)" ]; then state=reboot; return; fi
  fi
  case $(unit_state) in
  alive) state=running ;;
  unknown) state=unknown ;;
  gone)
    # It may have begun, or ended, between the two questions.
    if [ "$begun" = - ]; then
      [ ! -e "$dir/begin" ] || state=unknown
    else
      read_exit && return
      state=killed
      # A node that is going down stops its units first; the next boot tells whether it was that.
      [ "$(systemctl is-system-running 2>/dev/null)" != stopping ] || state=unknown
    fi ;;
  esac
}
report() {
  bytes=0
  [ ! -e "$dir/output" ] || bytes=$(wc -c <"$dir/output")
  echo "drydock state=$state code=$code begun=$begun ended=$ended bytes=$((bytes)) newrun=$newrun"
  [ -e "$dir/output" ] || return 0
  case $state in
  running | unknown) tail -c 600 "$dir/output" | tail -n 3 ;;
  *) if [ "$bytes" -le 98304 ]; then cat "$dir/output"; else head -c 32768 "$dir/output"; echo; echo "[... $((bytes - 98304)) bytes left out ...]"; tail -c 65536 "$dir/output"; fi ;;
  esac
}
`;

/** $1 record directory, $2 unit, $3 description, $4 command as JSON, $5 wrapper, then the command. Starts it unless it was begun. */
export const START = `umask 077
dir=$1 unit=$2 description=$3 record=$4 wrapper=$5 newrun=no
shift 5${STATE}
command -v systemd-run >/dev/null || { echo 'drydock: systemd-run is missing; steps can only run detached under systemd' >&2; exit 69; }
mkdir -p "\${dir%/*/*}" || exit
! mkdir "\${dir%/*}" 2>/dev/null || newrun=yes
mkdir -p "$dir" || exit
look
if [ "$state" = absent ]; then
  [ -e "$dir/command" ] || { printf '%s\\n' "$record" >"$dir/command.$$" && mv "$dir/command.$$" "$dir/command" || exit; }
  # A unit of this name that failed before it claimed anything would only be in the way.
  systemctl reset-failed "$unit" 2>/dev/null
  # --collect: nothing is left behind, the record says it all. mixed and 90 s: a shutdown lets dpkg finish, but ends in bounded time.
  if said=$(systemd-run --quiet --collect --unit="$unit" --description="$description" \\
    --property=KillMode=mixed --property=TimeoutStopSec=90 --setenv=HOME=/root --setenv=LC_ALL=C \\
    -- /bin/sh -c "$wrapper" drydock "$@" 2>&1); then
    state=started
  else
    look # somebody else's start came first
    [ "$state" != absent ] || { printf '%s\\n' "$said" >&2; exit 70; }
  fi
fi
report
`;

/** $1 record directory, $2 unit, $3 seconds to wait at most. Waits for the end of the unit's main process, then tells the state. */
export const ATTACH = `dir=$1 unit=$2 wait=$3 newrun=no${STATE}
look
if [ "$state" = running ]; then
  pid=$(systemctl show --property=MainPID "$unit" 2>/dev/null)
  pid=\${pid#MainPID=}
  if [ "\${pid:-0}" -gt 0 ]; then timeout "$wait" tail --pid="$pid" -s 0.1 -f /dev/null; else sleep 0.3; fi
  look
elif [ "$state" = unknown ]; then
  sleep 0.3
fi
report
`;

/** $1 folder of all records, $2 name of the current run, $3 runs to keep, $4 days to keep. Prints the runs it removed. */
export const PRUNE = `root=$1 current=$2 keep=$3 days=$4
cd "$root" 2>/dev/null || exit 0
boot=$(cat /proc/sys/kernel/random/boot_id)
# Begun in this boot and not ended: an activity may still come back for it.
unfinished() {
  for begin in "$1"/*/begin; do
    [ -e "$begin" ] || continue
    [ -e "\${begin%/begin}/exit" ] || { read -r its rest <"$begin" && [ "$its" = "$boot" ] && return 0; }
  done
  return 1
}
seen=1
ls -1t | while IFS= read -r run; do
  [ -d "$run" ] && [ "$run" != "$current" ] || continue
  # Only records of runs; drydock keeps other things here too.
  [ -n "$(find "./$run" -mindepth 2 -maxdepth 2 -name command | head -n 1)" ] || continue
  seen=$((seen + 1))
  [ "$seen" -gt "$keep" ] || [ -n "$(find "./$run" -maxdepth 0 -mtime "+$days")" ] || continue
  # A run that was at work within the last day may be paused, with records that its retries still ask for.
  [ -z "$(find "./$run" -mmin -1440 | head -n 1)" ] || continue
  unfinished "$run" && continue
  rm -rf -- "./$run" && printf '%s\\n' "$run"
done
`;

/**
 * The service manager replaces $NAME and \${NAME} in a unit's arguments, and $$ by one $. Doubling every $ gives the text
 * that was meant, on all versions.
 */
export const throughSystemd = (word: string): string => word.replaceAll('$', '$$$$');

export const ESCAPED_WRAPPER = throughSystemd(WRAPPER);
