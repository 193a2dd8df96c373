#!/usr/bin/env bash
# A grid as a Slurm array: one task per cell, then the report. From the repository, after `npm ci && npm run build`:
#
#   sbatch --array=0-8 cluster/slurm-array.sh grids/tiny.json runs/tiny
#   sbatch --dependency=afterany:JOB cluster/slurm-array.sh grids/tiny.json runs/tiny --collect
#
# `byte-to-loss experiment --grid FILE --out FOLDER --dry-run` prints the number of cells. The folder must be on a file
# system that all nodes share. A task that fails or is killed is put back into the queue, three times at most, and
# resumes from its last checkpoint. A task that reaches its time limit saves first, within the seconds that --signal
# gives it.
#SBATCH --job-name=byte-to-loss
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=slurm-%A_%a.out
#SBATCH --signal=TERM@120
#SBATCH --cpus-per-task=2
#SBATCH --gres=gpu:1
#
# It insists on a GPU: a node without one fails at once, where the CPU device would train for days. To train on processors,
# leave --gres out and submit with BYTE_TO_LOSS_DEVICE=cpu.
set -euo pipefail
export BYTE_TO_LOSS_DEVICE=${BYTE_TO_LOSS_DEVICE:-gpu}

grid=${1:?the grid, a JSON file}
out=${2:?the folder for runs and report}
shift 2
if [[ " $* " == *" --collect "* ]]; then what=(); else what=(--cell); fi
status=0
srun ${BYTE_TO_LOSS:-npx byte-to-loss} experiment --grid "$grid" --out "$out" "${what[@]}" "$@" || status=$?
if [ "$status" != 0 ] && [ -n "${SLURM_ARRAY_TASK_ID:-}" ] && [ "${SLURM_RESTART_COUNT:-0}" -lt 3 ]; then
  scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}" || true
fi
exit "$status"
