#!/usr/bin/env bash
# The contract of every op with the kernels for GPUs, on lavapipe with subgroups of 4, 8 and 16 lanes: Mesa's software Vulkan,
# whose vectors are LP_NATIVE_VECTOR_WIDTH bits wide.
#
#   bench/lavapipe.sh [width ...]      widths: 128, 256, 512; default all three
#   SIZES="9 65" bench/lavapipe.sh     sizes of the samples; default as here
#
# Debian 12 or newer. Ends with status 1 if a kernel disagrees with its reference.
set -euo pipefail
cd "$(dirname "$0")/.."
widths=("$@")
[ ${#widths[@]} -gt 0 ] || widths=(128 256 512)
. bench/mesa.sh
mesa_needs libvulkan_lvp.so

status=0
for width in "${widths[@]}"; do
  LD_LIBRARY_PATH=$libraries VK_DRIVER_FILES=$(echo "$mesa"/usr/share/vulkan/icd.d/lvp_icd*.json) \
    LP_NATIVE_VECTOR_WIDTH=$width node --import tsx bench/lavapipe.ts || status=1
done
exit $status
