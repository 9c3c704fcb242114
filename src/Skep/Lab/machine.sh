#!/usr/bin/env bash
# One machine of a lab. The steps below run one after another as the same process moves into its own namespaces:
#   boot    in the caller's world: own cgroups, then a cgroup namespace
#   isolate in the own cgroups: then network, mount, UTS, IPC and PID namespaces
#   init    as process 1 of the machine: its network, /run, /proc, /sys, data; reaps what others leave
#   daemon  in the caller's world: starts the daemon inside the machine and prints its process id there
# The lab passes M_… variables. Standard output is a pipe to the lab until the machine is ready: 'ready', or nothing.
set -eu

fail() { echo "machine: $*" >&2; exit 1; }

# Prints 'type path root options' of every cgroup hierarchy that is mounted here.
hierarchies() {
  local line path rest
  while read -r line; do
    read -r _ _ _ root path _ <<<"$line"
    rest=${line##* - }
    case $rest in
      'cgroup '* | 'cgroup2 '*) read -r type _ options <<<"$rest"; echo "$type $path $root $options" ;;
    esac
  done </proc/self/mountinfo
}

# A new cpuset is empty, and a process cannot live in it before it has processors and memory nodes.
fill_cpuset() {
  local file
  for file in cpuset.cpus cpuset.mems; do
    [ -n "$(<"$1/$file")" ] || echo "$(<"${1%/*}/$file")" >"$1/$file"
  done
}

# cgroup2 hands a controller down only when the parent says so, and a group that hands down holds no processes of its own.
hand_down() {
  local controller
  for controller in $(<"$1/cgroup.controllers"); do
    echo "+$controller" >"$1/cgroup.subtree_control" 2>/dev/null || true
  done
}

boot() {
  exec </dev/null 2>"$M_DIR/init.log"
  : >"$M_DIR/cgroups"
  local type path root options group step
  while read -r type path root options; do
    group=$path
    [ "$type" = cgroup ] || hand_down "$group"
    IFS=/ read -ra steps <<<"$M_CGROUP"
    for step in "${steps[@]}"; do
      group=$group/$step
      mkdir -p "$group"
      if [ "$type" = cgroup2 ]; then
        [ "$step" = "${steps[-1]}" ] || hand_down "$group"
      elif [ -e "$group/cpuset.cpus" ]; then
        fill_cpuset "$group"
      fi
    done
    if [ "$type" = cgroup2 ]; then
      mkdir -p "$group/machine"
      echo "$group/machine/cgroup.procs" >>"$M_DIR/cgroups"
    else
      echo "$group/cgroup.procs" >>"$M_DIR/cgroups"
    fi
    echo $BASHPID >"$group/cgroup.procs"
  done < <(hierarchies)
  exec setsid unshare --cgroup bash "$M_SCRIPT" isolate
}

isolate() {
  # The namespace's root is the group of the machine; its processes live one level below where that matters (cgroup2).
  local file
  while read -r file; do
    case $file in
      */machine/cgroup.procs) echo $BASHPID >"$file"; hand_down "${file%/machine/cgroup.procs}" ;;
    esac
  done <"$M_DIR/cgroups"
  exec unshare --mount --propagation private --uts --ipc --net --pid --fork bash "$M_SCRIPT" init
}

init() {
  local pid stat mac resolv type path root options controllers
  # /proc is still the caller's, so this is the process id that the caller knows; the start time tells it from a later namesake.
  read -r pid _ </proc/self/stat
  stat=$(</proc/$pid/stat)
  read -ra stat <<<"${stat##*) }"

  # A machine keeps its card's address over a loss of power; with another, its neighbours would talk past it for half a minute.
  mac=${M_ADDRESS%/*}
  # shellcheck disable=SC2086
  mac=$(printf '02:4c:%02x:%02x:%02x:%02x' ${mac//./ })
  ip -batch - <<END
link set lo up
link add eth0 address $mac type veth peer name $M_HOSTNAME netns $M_SWITCH
addr add $M_ADDRESS dev eth0
link set eth0 up
route add unreachable default
END
  [ ! -d /proc/sys/net/ipv6 ] || ip addr add "$M_ADDRESS6" dev eth0 nodad || true
  ip -n "$M_SWITCH" link set "$M_HOSTNAME" master br0 up

  hierarchies >"$M_DIR/hierarchies"
  mkdir -p /var/lib/skep
  mount --bind "$M_DATA" /var/lib/skep
  for path in hostname hosts; do
    [ ! -e "/etc/$path" ] || mount --bind "$M_DIR/$path" "/etc/$path"
  done
  resolv=$(cat /etc/resolv.conf 2>/dev/null) || resolv=
  mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
  mkdir -p /run/lock
  # Where the name servers are a link into /run (systemd-resolved), what it said goes on being said.
  if [ -n "$resolv" ] && [ ! -e /etc/resolv.conf ]; then
    path=$(readlink -m /etc/resolv.conf)
    mkdir -p "${path%/*}" && printf '%s\n' "$resolv" >"$path"
  fi
  mount -t proc -o nosuid,nodev,noexec proc /proc
  echo "$M_HOSTNAME" >/proc/sys/kernel/hostname
  # sysfs shows the network devices of the namespace that mounts it; a cgroup mount shows the machine's own group as its root.
  mount -t sysfs -o nosuid,nodev,noexec sysfs /sys
  if ! grep -q '^cgroup2 /sys/fs/cgroup ' "$M_DIR/hierarchies"; then
    mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
  fi
  while read -r type path root options; do
    case $path in /sys/fs/cgroup*) ;; *) continue ;; esac
    mkdir -p "$path"
    if [ "$type" = cgroup2 ]; then
      mount -t cgroup2 cgroup2 "$path"
    else
      controllers=${options#rw,}
      mount -t cgroup -o "${controllers/#name=/none,name=}" cgroup "$path"
    fi
  done <"$M_DIR/hierarchies"
  [ ! -d /sys/fs/bpf ] || mount -t bpf bpf /sys/fs/bpf 2>/dev/null || true

  echo "$pid ${stat[19]}" >"$M_DIR/machine.new"
  mv "$M_DIR/machine.new" "$M_DIR/machine"
  echo ready
  exec >&2
  cd /
  # bash waits for every child it is given, its own or an orphan of the machine.
  while :; do
    sleep infinity &
    wait "$!" || true
  done
}

daemon() {
  local file pid
  read -r pid _ <"$M_DIR/machine"
  while read -r file; do
    echo $BASHPID >"$file"
  done <"$M_DIR/cgroups"
  exec nsenter --target "$pid" --mount --uts --ipc --net --pid --cgroup -- bash -c '
    log=$1; shift
    setsid "$@" </dev/null >>"$log" 2>&1 &
    echo "$!"' daemon "$M_DIR/daemon.log" "$@"
}

"$@"
