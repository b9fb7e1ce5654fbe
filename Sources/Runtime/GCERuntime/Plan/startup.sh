#!/bin/bash
# Prepares a virtual machine for disbatch's engines, and ends it when they are gone. Run as root at each start.
#
# It takes its settings from the instance's metadata: disbatch-user, disbatch-grace (seconds), disbatch-owner (the run
# that has it), disbatch-container, and disbatch-endpoint where the API is not Google's. Grace and owner may change. It says how far it is in the guest attribute disbatch/prepared: "yes",
# or what failed.
#
# Two watchers stay behind:
#   preempted  waits for the word that this instance is about to be taken back, and sends SIGTERM to the engines, which
#              tell their driver, which gives them no more tasks.
#   idle       looks for processes named disbatch-engine, in containers too. An engine lives as long as its channel, or
#              its lease after that; so when there was none for the time of grace, nobody is coming back, and the
#              instance deletes itself: with its own token where its service account may, else by shutting down.
#              Whoever made it is to delete one that is shut down; dbutil --gce-cleanup does.
set -u

# Tests use others.
metadata=${DISBATCH_METADATA:-http://metadata.google.internal/computeMetadata/v1}
processes=${DISBATCH_PROC:-/proc}
state=${DISBATCH_STATE:-/run/disbatch}
pause=15

# Of the metadata server; what follows the path are options of curl.
fetch() { curl -sf --noproxy '*' -H 'Metadata-Flavor: Google' "${@:2}" "$metadata/$1"; }

say() { echo "disbatch: $1"; }

tell() {
    say "prepared: $1"
    curl -sf --noproxy '*' -H 'Metadata-Flavor: Google' -X PUT --data "$1" \
        "$metadata/instance/guest-attributes/disbatch/prepared" || true
}

# The numbers of all processes of engines: the guard and the engine proper have the same name.
engines() {
    local file name
    for file in "$processes"/[0-9]*/comm; do
        read -r name 2>/dev/null <"$file" || continue
        [ "$name" != disbatch-engine ] || basename "$(dirname "$file")"
    done
}

# Waits until the instance is told that it is about to be taken back.
watch_preempted() {
    local reply pid etag=0
    while true; do
        # By the mark of the answer before, a change between two requests is not missed.
        reply=$(fetch "instance/preempted?wait_for_change=true&timeout_sec=60&last_etag=$etag" -i) || reply=
        reply=${reply//$'\r'/}
        if [ "${reply##*$'\n'}" = TRUE ]; then
            say "this instance is about to be taken back"
            for pid in $(engines); do kill -TERM "$pid"; done
            return
        fi
        etag=$(sed -n 's/^[Ee][Tt][Aa][Gg]: *//p' <<<"$reply")
        etag=${etag:-0}
        # Where the answer comes at once, it is not asked for again and again.
        sleep 1
    done
}

# The instance's own end: a deleted one costs nothing, one that is shut down still has its disk.
end_instance() {
    local token name zone compute
    compute=$(fetch instance/attributes/disbatch-endpoint) || compute=https://compute.googleapis.com/compute/v1
    name=$(fetch instance/name)
    zone=$(fetch instance/zone)
    token=$(fetch instance/service-accounts/default/token | sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')
    if [ -n "$token" ] && [ -n "$name" ] && [ -n "$zone" ]; then
        # The token is no argument, which others could see.
        printf 'header = "Authorization: Bearer %s"\n' "$token" |
            curl -sf --max-time 60 -K - -X DELETE "$compute/$zone/instances/$name" >/dev/null && sleep "$pause"
    fi
    shutdown -h now
}

# Seconds of the clock that can't be set: the other one jumps when a machine has just started.
uptime_seconds() {
    local seconds
    read -r seconds _ </proc/uptime
    echo "${seconds%%.*}"
}

# Waits until no engine has been there for the time of grace.
watch_idle() {
    local grace since now owner known=
    since=$(uptime_seconds)
    while true; do
        grace=$(fetch instance/attributes/disbatch-grace) || grace=600
        [ "$grace" -ge 60 ] || pause=1
        owner=$(fetch instance/attributes/disbatch-owner) || owner=
        now=$(uptime_seconds)
        # A run that has just taken it from a pool needs time, too.
        if [ -n "$(engines)" ] || [ "$owner" != "$known" ]; then since=$now; fi
        known=$owner
        if [ $((now - since)) -ge "$grace" ]; then
            say "no engine for $grace s: this instance ends"
            end_instance
            since=$now
        fi
        sleep "$pause"
    done
}

# A watcher outlives the service that runs this script.
watch() {
    if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
        systemd-run --quiet --collect --unit "disbatch-$1" bash "$state/startup" "$1" || detach "$1"
    else
        detach "$1"
    fi
}

detach() { setsid nohup bash "$state/startup" "$1" </dev/null >>"$state/$1.log" 2>&1 & }

# Each local SSD is a directory: the first /mnt/disks/disbatch, others below it.
mount_disks() {
    local device path=/mnt/disks/disbatch count=0
    mkdir -p "$path"
    for device in /dev/disk/by-id/google-local-nvme-ssd-* /dev/disk/by-id/google-local-ssd-*; do
        [ -b "$device" ] || continue
        [ "$count" = 0 ] || path=/mnt/disks/disbatch/$count
        mkdir -p "$path"
        if ! mountpoint -q "$path"; then
            mkfs.ext4 -q -F -m 0 "$device" && mount -o discard,noatime "$device" "$path" || return 1
        fi
        chmod 1777 "$path"
        count=$((count + 1))
    done
    chmod 1777 /mnt/disks/disbatch
}

# The user's account is made by the guest agent, which reads the keys; it may be a moment late.
admit_to_docker() {
    local count=0
    until id "$1" >/dev/null 2>&1; do
        count=$((count + 1))
        [ "$count" -le 60 ] || return 1
        sleep 1
    done
    usermod -a -G docker "$1"
}

pull() {
    local image=$1 token
    command -v docker >/dev/null || { tell "the image has no docker: use one such as cos-stable"; return 1; }
    case $image in
    *.pkg.dev/* | gcr.io/* | *.gcr.io/*)
        token=$(fetch instance/service-accounts/default/token | sed -n 's/.*"access_token" *: *"\([^"]*\)".*/\1/p')
        if [ -n "$token" ]; then
            # Root's home is read-only on some images.
            export DOCKER_CONFIG=$state/docker
            mkdir -p "$DOCKER_CONFIG"
            printf '%s' "$token" | docker login -u oauth2accesstoken --password-stdin "https://${image%%/*}" >/dev/null
        fi
        ;;
    esac
    docker pull -q "$image" || { tell "docker can't pull $image"; return 1; }
    rm -rf "$state/docker"
}

prepare() {
    local image user
    mkdir -p "$state"
    chmod 700 "$state"
    cp "$0" "$state/startup"
    # First of all: whatever else fails, this instance ends.
    watch idle
    watch preempted
    mount_disks || { tell "a local SSD can't be mounted"; return 1; }
    image=$(fetch instance/attributes/disbatch-container) || image=
    if [ -n "$image" ]; then
        pull "$image" || return 1
        user=$(fetch instance/attributes/disbatch-user)
        admit_to_docker "$user" || { tell "account $user was not made"; return 1; }
    fi
    tell yes
}

case ${1-} in
idle) watch_idle ;;
preempted) watch_preempted ;;
*) prepare ;;
esac
