#!/usr/bin/env bash
# Registers, spills, scratch and workgroup memory of every pipeline of a training step, by AMD's shader compiler (Mesa's
# ACO) for simulated cards: nothing executes, and no GPU is needed. Mesa's drm-shim pretends to be the card.
#
#   bench/aco.sh [chip ...]      chips: navi31 (RX 7900), navi10 (RX 5700), gfx1150 (Radeon 890M); default all three
#   SIZES="lean" HEADS=4 bench/aco.sh navi31
#
# Debian 12 or newer. Packages are unpacked into a cache folder: this needs no root and does not change the system.
# Ends with status 1 if a pipeline spills or uses scratch.
set -euo pipefail
cd "$(dirname "$0")/.."
chips=("$@")
[ ${#chips[@]} -gt 0 ] || chips=(navi31 navi10 gfx1150)
. bench/mesa.sh
mesa_needs libvulkan_radeon.so
shim=$libraries/libamdgpu_noop_drm_shim.so

for chip in "${chips[@]}"; do
  # The driver prints statistics to stderr, each after aco.ts's line with the name of the pipeline.
  if ! LD_LIBRARY_PATH=$libraries LD_PRELOAD=$shim AMDGPU_GPU_ID=$chip RADV_DEBUG=shaderstats,nocache \
    VK_DRIVER_FILES=$(echo "$mesa"/usr/share/vulkan/icd.d/radeon_icd*.json) \
    node --import tsx bench/aco.ts 2> "$mesa/$chip.txt"; then
    grep -A5 -iE 'error|fail' "$mesa/$chip.txt" | head -20 >&2
    exit 1
  fi
done
node --import tsx bench/acoTable.ts "${chips[@]/#/$mesa/}"
