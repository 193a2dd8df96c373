#!/usr/bin/env bash
# The Slurm array for real: a Slurm of one node on this machine, a grid of four cells as an array, one task killed on the
# way, its cell asked for by a second worker at the same time, and the report. Needs root on a Debian with network; it is
# not part of `npm test`.
#
#   test/cluster/slurm.sh          # installs slurm-wlm and munge when they are missing, cleans up behind itself
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
etc=/etc/slurm spool=$work/spool host=$(hostname -s)

stop() {
  scancel --signal=KILL --user=root 2>/dev/null || true
  sleep 2
  for name in slurmd slurmctld munged; do
    [ -f "$work/$name.pid" ] && kill "$(cat "$work/$name.pid")" 2>/dev/null || true
  done
  sleep 1
  rm -rf "$work" "$etc/slurm.conf"
}

start() {
  command -v slurmctld >/dev/null || apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null
  [ ! -e "$etc/slurm.conf" ] || { echo "$etc/slurm.conf: there is a Slurm here already" >&2; exit 1; }
  mkdir -p "$etc" "$spool/ctld" "$spool/d"
  install -d -o munge /run/munge
  cat >"$etc/slurm.conf" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MinJobAge=3600
StateSaveLocation=$spool/ctld
SlurmdSpoolDir=$spool/d
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
  chmod 755 "$work"
  install -d -o munge "$work/munge"
  runuser -u munge -- munged --pid-file="$work/munge/munged.pid"
  ln -s "$work/munge/munged.pid" "$work/munged.pid"
  slurmctld
  slurmd
  for _ in $(seq 40); do sinfo -h -o %T 2>/dev/null | grep -q idle && return; sleep 0.5; done
  echo 'slurm did not come up' >&2
  tail "$work"/*.log >&2
  exit 1
}

# wait_for SECONDS COMMAND…: until it succeeds
wait_for() {
  local left=$1
  shift
  until "$@"; do
    sleep 0.5
    left=$((left - 1))
    [ "$left" -gt 0 ] || { echo "gave up waiting for: $*" >&2; cat "$work"/slurm-*.out >&2; exit 1; }
  done
}
ended() { ! squeue -h -j "$1" -o %T | grep -q .; }

trap stop EXIT
start
cat >"$work/grid.json" <<'GRID'
{
  "name": "slurm",
  "arms": ["zero", "bytes"],
  "seeds": [0, 1],
  "steps": 400,
  "settings": { "prefix": 16, "stream": 16, "batch": 2, "evalEvery": 0, "saveEvery": 3, "validationWindows": 2 }
}
GRID
export BYTE_TO_LOSS="npx tsx $PWD/src/cli.ts"
array=(sbatch --parsable --chdir="$PWD" --output="$work/slurm-%A_%a.out" --cpus-per-task=1)

job=$("${array[@]}" --array=0-3 cluster/slurm-array.sh "$work/grid.json" "$work/runs" --device bundled)
echo "array $job submitted"
wait_for 240 compgen -G "$work/runs/*/checkpoints/step-000003.safetensors" >/dev/null

# A second worker wants the cells that are being run, and is sent away.
for index in 0 1; do
  npx tsx src/cli.ts experiment --grid "$work/grid.json" --out "$work/runs" --cell "$index" --device bundled \
    >>"$work/second" 2>&1 || true
done
grep 'is being run by' "$work/second"

# The process of a cell is killed outright; Slurm puts the task back, and the cell resumes.
holder=$(compgen -G "$work/runs/*/lock/owner.json" | head -1)
killed=$(basename "$(dirname "$(dirname "$holder")")")
kill -KILL "$(node -p 'JSON.parse(fs.readFileSync(process.argv[1])).pid' "$holder")"
echo "killed the worker of $killed"
wait_for 600 ended "$job"
[ -f "$work/runs/$killed/result.json" ] || { echo "$killed was not run again" >&2; cat "$work"/slurm-*.out >&2; exit 1; }
grep -h 'resuming from step' "$work"/slurm-*.out

report=$("${array[@]}" --dependency=afterany:"$job" cluster/slurm-array.sh "$work/grid.json" "$work/runs" --collect)
wait_for 240 ended "$report"
grep '4 of 4 cells finished' "$work"/slurm-"$report"_*.out "$work"/slurm-*.out | head -1
echo 'slurm: all cells finished, through a kill and a second worker'
