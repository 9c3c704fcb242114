#!/bin/sh
# The first process of the machine. The host's files are the lower layer of an overlay, so whatever is written stays in the machine's
# memory; kmod finds the modules of this kernel where it looks for them, since the kernel itself asks for modules (crypto, match
# extensions) through it. A pivot, and not a chroot, so that those requests see the same root.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
die() { echo "boot: $*"; poweroff -f; }

# A kernel of our own (kernel.sh) has everything in it.
modules=/usr/lib/uml/modules/$(uname -r)
[ ! -d "$modules" ] || insmod "$modules/kernel/fs/overlayfs/overlay.ko" || die 'no overlay.ko'
mount -t tmpfs tmpfs /mnt || die 'no tmpfs'
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work overlay /mnt/root || die 'no overlay'
cd /mnt/root || die 'no root'
mkdir -p usr/lib/modules mnt/host
mount --bind /usr/lib/uml/modules usr/lib/modules
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs tmp
# A project that lies in /tmp would be hidden.
project=${SKEP_GUEST%%/artifacts/*}
case $project in /tmp/*) mkdir -p "./$project" && mount --bind "$project" "./$project" || die "no $project" ;; esac
mount -t devtmpfs dev dev
pivot_root . mnt/host || die 'no pivot'
cd /
mkdir -p /dev/pts /dev/shm /run/netns
# What udev would make; bash's <(…) needs it.
ln -s /proc/self/fd /dev/fd
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ip link set lo up
if [ -d "$modules" ]; then
  for module in br_netfilter ip_vs; do modprobe "$module" || die "no $module"; done
fi
# Debian's kernel has nothing behind iptables-nft.
for family in iptables ip6tables; do update-alternatives --quiet --set "$family" "/usr/sbin/$family-legacy"; done

# A machine whose runner is gone hears of it by the end of its channel; this is for one that no longer hears.
(sleep "${SKEP_LIFETIME:-300}"; echo 'boot: the time is over'; echo o >/proc/sysrq-trigger) &

stty -F /dev/ttyS0 raw -echo || die 'no channel'
"$SKEP_GUEST" --guest /dev/ttyS0 </dev/null
echo "boot: the guest ended with $?"
echo o >/proc/sysrq-trigger
exec sleep 60
