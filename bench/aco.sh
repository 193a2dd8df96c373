#!/usr/bin/env bash
# Registers, spills, scratch and workgroup memory of every pipeline of a training step, by AMD's shader compiler (Mesa's
# ACO) for made-up cards: nothing executes, and no GPU is needed. Mesa's drm-shim pretends to be the card.
#
#   bench/aco.sh [chip ...]      chips: navi31 (RX 7900), navi10 (RX 5700), gfx1150 (Radeon 890M); default all three
#   SIZES="lean" HEADS=4 bench/aco.sh navi31
#
# Debian 12 or newer. Packages are unpacked into a cache folder: no root, and nothing of the system changes.
# Ends with status 1 where a pipeline spills or has scratch.
set -euo pipefail
cd "$(dirname "$0")/.."
chips=("$@")
[ ${#chips[@]} -gt 0 ] || chips=(navi31 navi10 gfx1150)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/byte-to-loss/aco
libraries=$cache/usr/lib/$(uname -m)-linux-gnu
shim=$libraries/libamdgpu_noop_drm_shim.so

if [ ! -e "$shim" ]; then
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  # Debian 12 has a Mesa that Dawn takes, 23 or newer, in its backports.
  suites=("$codename") release=$codename
  if [ "$codename" = bookworm ]; then suites+=(bookworm-backports) release=bookworm-backports; fi
  mkdir -p "$cache/lists/partial" "$cache/debs"
  mirror=$(grep -rshoE 'https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d | head -1 || true)
  for suite in "${suites[@]}"; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian} $suite main"
  done > "$cache/sources.list"
  options=(-o Dir::Etc::SourceList="$cache/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::Cache="$cache"
    -o Dir::State::Lists="$cache/lists" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" -qq update
  (cd "$cache/debs" && apt-get "${options[@]}" -qq -t "$release" download mesa-vulkan-drivers mesa-drm-shim libvulkan1)
  for package in "$cache"/debs/*.deb; do dpkg -x "$package" "$cache"; done
fi

missing=$(LD_LIBRARY_PATH=$libraries ldd "$libraries/libvulkan_radeon.so" | awk '/not found/{print $1}' | xargs)
if [ -n "$missing" ]; then
  echo "aco.sh: Mesa needs $missing; install them: apt-get install libdrm-amdgpu1 libelf1 libllvm15 libxcb-dri3-0" >&2
  exit 1
fi

for chip in "${chips[@]}"; do
  # The driver prints statistics to stderr, each behind the line by which aco.ts names the pipeline.
  if ! LD_LIBRARY_PATH=$libraries LD_PRELOAD=$shim AMDGPU_GPU_ID=$chip RADV_DEBUG=shaderstats,nocache \
    VK_DRIVER_FILES=$(echo "$cache"/usr/share/vulkan/icd.d/radeon_icd*.json) \
    node --import tsx bench/aco.ts 2> "$cache/$chip.txt"; then
    grep -A5 -iE 'error|fail' "$cache/$chip.txt" | head -20 >&2
    exit 1
  fi
done
node --import tsx bench/acoTable.ts "${chips[@]/#/$cache/}"
