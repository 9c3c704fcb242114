#!/bin/sh
# The daemon of one machine of the peer's lab: Debian's dockerd with all that it keeps in this machine's own folders. Its service is
# never started; this runs in the machine's namespaces, with a /run of its own.
set -eu
mkdir -p /var/lib/skep/docker /run/docker
exec /usr/sbin/dockerd --data-root /var/lib/skep/docker --exec-root /run/docker --host unix:///run/docker.sock --log-level warn
