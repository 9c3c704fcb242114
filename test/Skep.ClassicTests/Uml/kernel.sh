#!/usr/bin/env bash
# Makes a User-Mode Linux kernel from Debian's kernel source that has all that both data planes need at once: nftables, IPVS, ESP,
# overlayfs, cgroups. Takes ten to twenty-five minutes and 2 GB; prints the path of the kernel for SKEP_UML_KERNEL.
#   sudo test/Skep.ClassicTests/Uml/kernel.sh [FOLDER]
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-/var/tmp/skep-uml-kernel}
log=$folder/build.log

say() { echo "kernel: $*" >&2; }

packages=(linux-source-6.1 gcc make flex bison bc libelf-dev libc6-dev xz-utils)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  say "installing ${missing[*]}"
  apt-get -qq update >&2
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}" >&2
fi

mkdir -p "$folder"
source=$folder/linux-source-6.1
if [ ! -e "$source/Makefile" ]; then
  say "unpacking into $folder"
  tar -C "$folder" -xf /usr/src/linux-source-6.1.tar.xz
fi

make_uml() { nice make -C "$source" ARCH=um O="$folder/out" "$@" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; say "make $* failed; its words are in $log"; exit 1; }; }

: >"$log"
make_uml x86_64_defconfig
"$source/scripts/kconfig/merge_config.sh" -m -O "$folder/out" "$folder/out/.config" "$here/kernel.config" >>"$log" 2>&1
make_uml olddefconfig

# An option whose needs are not met vanishes without a word.
lost=$(grep '^CONFIG_' "$here/kernel.config" | grep -vxFf "$folder/out/.config" || true)
[ -z "$lost" ] || { say "this source does not take: $lost"; exit 1; }

say "building; its words go to $log"
make_uml -j"$(nproc)" linux
echo "$folder/out/linux"
