#!/usr/bin/env bash
# Sets up a fresh Debian 12 and runs the main job: a node with SeccompDefault on, and the two example pods in turn.
# Their images come from the registries when those answer, else from Debian's packages (PORTCULLIS_REGISTRY=no: at once).
#
# usage: ./quickstart.sh          install, build, start the node, run and show the examples (a second run is quick)
#        ./quickstart.sh stop     remove the example pod, stop the node
set -euo pipefail
cd "$(dirname "$0")"

manifests=/etc/kubernetes/manifests
network=/var/lib/portcullis/quickstart/net.d
manifest=$manifests/portcullis-test-pod.yaml
pid_file=/run/portcullis/quickstart.pid
log=/var/log/portcullis-quickstart.log
health=http://127.0.0.1:10248
build=${PORTCULLIS_BUILD_DIR:-build}
images=${PORTCULLIS_IMAGES_DIR:-/var/cache/portcullis/images}
portcullis=$PWD/$build/bin/portcullis

step() { printf '\n== %s\n' "$*"; }
fail() {
  printf '\nquickstart: %s\n' "$1" >&2
  if [ -s "$log" ] && [ "${2:-}" = log ]; then
    echo "the node's last words ($log):" >&2
    tail -n 15 "$log" >&2
  fi
  exit 1
}

[ "$(id -u)" -eq 0 ] || fail "this must run as root (it starts containers): sudo ./quickstart.sh"
[ -r /etc/debian_version ] && grep -q '^12' /etc/debian_version || echo "quickstart: this is made for Debian 12; going on all the same"

# The node that this script started, if it still runs: its pid, else nothing.
running_node() {
  local pid
  pid=$(cat "$pid_file" 2>/dev/null) || return 0
  [ -n "$pid" ] && [ "$(readlink "/proc/$pid/exe" 2>/dev/null | sed 's/ (deleted)$//')" = "$portcullis" ] && echo "$pid"
  return 0
}

crictl() { "$portcullis" crictl "$@"; }

# Waits until `$2...` succeeds; $1 says what is waited for.
wait_for() {
  local what=$1 tries=0
  shift
  until "$@"; do
    tries=$((tries + 1))
    if [ "$tries" -ge 300 ]; then fail "$what did not happen within 60 seconds" log; fi
    if [ $((tries % 25)) -eq 0 ]; then echo "   still waiting: $what"; fi
    sleep 0.2
  done
}

pods_gone() { [ -z "$(crictl pods -q --name '^test-pod-' 2>/dev/null)" ]; }
containers_running() { [ "$(crictl ps -q --state running --pod "$(crictl pods -q --state ready --name '^test-pod-' | head -n 1)" --name "$1" 2>/dev/null | wc -l)" -eq "$2" ]; }
node_answers() { curl -fsS -o /dev/null "$health/healthz" 2>/dev/null; }

stop() {
  local pid
  pid=$(running_node)
  if [ -z "$pid" ]; then
    echo "quickstart: no node of this script runs"
    return
  fi
  step "removing the example pod"
  rm -f "$manifest"
  wait_for "the end of the pod" pods_gone
  step "stopping the node (process $pid)"
  kill -TERM "$pid"
  wait_for "the end of the node" bash -c "! kill -0 $pid 2>/dev/null"
  rm -f "$pid_file"
  echo "stopped. Images stay in /var/lib/portcullis, and the network's configuration in $network/87-portcullis-bridge.conflist."
}

# What the node decided, what the kernel says, and what a process inside can really do.
show_containers() {
  local id name pid
  "$portcullis" status
  echo
  for id in $(crictl ps -q --state running --name '^test-container'); do
    name=$(crictl inspect "$id" | jq -r .status.metadata.name)
    pid=$(crictl inspect "$id" | jq -r .info.pid)
    echo "$name, process $pid, in the kernel's words: $(grep -E '^Seccomp(_filters)?:' "/proc/$pid/status" | tr -s '\t\n' '  ')"
    if ! crictl exec -s "$id" /usr/local/bin/seccomp-probe 2>/dev/null | sed 's/^/    /'; then
      # The real images have no probe; most have util-linux, whose unshare the default profile denies.
      echo "    unshare --user: $(crictl exec -s "$id" unshare --user true 2>&1 && echo allowed)" | tail -n 1
    fi
  done
}

run_example() {
  local file=$1 pattern=$2 count=$3 id
  step "pod from examples/$file"
  sed -n '/^ *#/!p' "examples/$file" | sed 's/^/    /'
  # A changed manifest is a new pod: the node ends the old one, then starts the new one.
  install -D -m 0644 "examples/$file" "$manifests/.portcullis-test-pod.new"
  mv "$manifests/.portcullis-test-pod.new" "$manifest"
  wait_for "containers $pattern to run" containers_running "$pattern" "$count"
  # Static pods and crictl agree on names; this is the issue's first line.
  id=$(crictl ps -q --name="$pattern" | head -n 1)
  [ -n "$id" ] || fail "no container named $pattern"
  show_containers
}

if [ "${1:-}" = stop ]; then
  stop
  exit 0
fi
[ $# -eq 0 ] || fail "unknown argument $1 (nothing, or stop)"

step "packages"
scripts/install-packages build
command -v curl >/dev/null || apt-get install -y -q --no-install-recommends curl >/dev/null
step "build"
scripts/build portcullis portcullis-crun portcullis-pause

mkdir -p /run/portcullis "$manifests" "$(dirname "$log")"
for name in portcullis crictl; do
  link=/usr/local/bin/$name
  if [ -L "$link" ] || [ ! -e "$link" ]; then
    if [ "$name" = portcullis ] || [ -L "$link" ] || ! type -P crictl >/dev/null; then ln -sfn "$portcullis" "$link"; fi
  fi
done

step "images"
scripts/get-images "$portcullis" "$images"

step "node"
pid=$(running_node)
if [ -n "$pid" ]; then
  echo "already running: process $pid"
else
  if node_answers; then fail "something else answers on $health; is a kubelet running here?"; fi
  setsid "$portcullis" node --feature-gates=SeccompDefault=true --seccomp-default --pod-manifest-path="$manifests" --cni-conf-dir="$network" --cni-default \
    </dev/null >>"$log" 2>&1 &
  echo $! >"$pid_file"
  wait_for "the node's first answer" node_answers
  echo "started with --feature-gates=SeccompDefault=true --seccomp-default: process $(cat "$pid_file"), log $log"
fi

run_example test-pod-nginx.yaml '^test-container$' 1
run_example test-pod-mixed.yaml '^test-container-' 2

step "done"
cat <<EOF
The node runs on with the second example. What to try next:

  CONTAINER_ID=\$(sudo crictl ps -q --name=test-container-redis)
  sudo crictl inspect \$CONTAINER_ID | jq .info.runtimeSpec.linux.seccomp      # the profile it runs under
  sudo portcullis status                                                     # every container, one line
  curl -s $health/pods | jq '.items[].spec.containers[].securityContext'     # manifests stay as they were written
  cp your-pod.yaml $manifests/                                  # runs within a second

docs/getting-started.md explains what you saw; docs/rollout.md leads a whole node through the switch.
Stop everything: sudo ./quickstart.sh stop
EOF
