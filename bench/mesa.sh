# Mesa's Vulkan drivers from Debian, unpacked into a cache folder: this needs no root and does not change the system.
# Source it from bash on Debian 12 or newer. Sets `mesa`, the folder, and `libraries`, where its libraries are.
mesa=${XDG_CACHE_HOME:-$HOME/.cache}/byte-to-loss/aco
libraries=$mesa/usr/lib/$(uname -m)-linux-gnu

if [ ! -e "$libraries/libamdgpu_noop_drm_shim.so" ]; then
  codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
  # Debian 12 has a Mesa that Dawn takes, 23 or newer, in its backports.
  suites=("$codename") release=$codename
  if [ "$codename" = bookworm ]; then suites+=(bookworm-backports) release=bookworm-backports; fi
  mkdir -p "$mesa/lists/partial" "$mesa/debs"
  mirror=$(grep -rshoE 'https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d | head -1 || true)
  for suite in "${suites[@]}"; do
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian} $suite main"
  done > "$mesa/sources.list"
  options=(-o Dir::Etc::SourceList="$mesa/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::Cache="$mesa"
    -o Dir::State::Lists="$mesa/lists" -o APT::Sandbox::User=root)
  apt-get "${options[@]}" -qq update
  (cd "$mesa/debs" && apt-get "${options[@]}" -qq -t "$release" download mesa-vulkan-drivers mesa-drm-shim libvulkan1)
  for package in "$mesa"/debs/*.deb; do dpkg -x "$package" "$mesa"; done
fi

# mesa_needs DRIVER: ends the script where a library of the system is missing.
mesa_needs() {
  local missing
  missing=$(LD_LIBRARY_PATH=$libraries ldd "$libraries/$1" | awk '/not found/{print $1}' | xargs)
  if [ -n "$missing" ]; then
    echo "Mesa needs $missing; install them: apt-get install libdrm-amdgpu1 libelf1 libllvm15 libxcb-dri3-0" >&2
    exit 1
  fi
}
