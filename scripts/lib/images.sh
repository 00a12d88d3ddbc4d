# How scripts/build-images makes a root file system and an image of Debian packages; sourced by it, which sets $here, $source_dir,
# $output, $work and $force, and defines die.
# shellcheck shell=bash
# shellcheck disable=SC2154  # what the sourcing script sets
set -euo pipefail

# As on a host with nothing installed, so that a package's whole closure is seen.
: > "$work/no-packages"
apt_options=(-o "Dir::State::status=$work/no-packages" -o APT::Install-Recommends=false -o Debug::NoLocking=1
  -o APT::Sandbox::User=root)

# Dependencies that only maintainer scripts and administration need. What the programs need is checked after unpacking.
unneeded='^(adduser|debconf|dpkg|gcc-[0-9]+-base|init-system-helpers|iproute2|lsb-base|passwd|perl.*|sysvinit-utils|tar|usrmerge)$'
unneeded+='|^(lib(acl1|audit.*|bpf1|bsd0|cap2-bin|cap-ng0|com-err2|db5.3|elf1|file-find-rule-perl|gdbm.*|gssapi.*|k5crypto3|keyutils1|krb5.*))$'
unneeded+='|^(lib(mnl0|nginx-mod-.*|number-compare-perl|pam.*|perl.*|semanage.*|sepol.*|selinux1|text-glob-perl|tirpc.*|xtables.*|bz2-1.0|md0))$'

# "package version" of each argument, as the mirror has them now.
versions_of() {
  apt-cache "${apt_options[@]}" policy "$@" | awk '/^[^ ]/ {name = $1; sub(":$", "", name)} $1 == "Candidate:" {print name, $2}'
}

require_packages() {
  local missing
  missing=$(comm -23 <(printf '%s\n' "$@" | sort) <(versions_of "$@" | awk '$2 != "(none)" {print $1}' | sort))
  [ -n "$missing" ] || return 0
  [ "$(id -u)" = 0 ] || die "apt knows no package ${missing//$'\n'/, }: run apt-get update as root first"
  echo "apt-get update (apt does not know ${missing//$'\n'/, } yet)"
  apt-get -qq update || die "apt-get update failed"
  missing=$(comm -23 <(printf '%s\n' "$@" | sort) <(versions_of "$@" | awk '$2 != "(none)" {print $1}' | sort))
  [ -z "$missing" ] || die "no package ${missing//$'\n'/, } on this host's Debian mirrors"
}

# "package version" of everything a package needs to run.
closure_of() {
  apt-get "${apt_options[@]}" -s install "$@" | awk -v unneeded="$unneeded" \
    '$1 == "Inst" && $2 !~ unneeded {version = $3; sub("^[(]", "", version); print $2, version}' | sort
}

fetch_and_unpack() { # rootfs, file with "package version" lines
  local rootfs=$1 list=$2 wanted=() deb
  mapfile -t wanted < <(sed 's/ /=/' "$list")
  mkdir -p "$work/debs"
  (cd "$work/debs" && apt-get "${apt_options[@]}" -qq download "${wanted[@]}") || die "cannot download ${wanted[*]}"
  for deb in "$work"/debs/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -C "$rootfs" -x --keep-directory-symlink --no-same-owner \
      --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' --exclude='./usr/share/lintian/*' \
      --exclude='./usr/share/info/*' --exclude='./usr/share/bug/*' --exclude='./usr/share/gcc*' --exclude='./etc/init.d/*' \
      --exclude='./lib/systemd/*' --exclude='./usr/lib/*/gconv/*' || die "cannot unpack $deb"
  done
  rm -rf "$work/debs"
}

make_skeleton() { # rootfs, extra passwd and group entry "name uid home" or nothing
  local rootfs=$1 folder
  shift
  for folder in usr/bin usr/sbin usr/lib usr/local/bin etc proc sys dev run root tmp var/tmp var/log; do
    mkdir -p "$rootfs/$folder"
  done
  for folder in bin sbin lib; do ln -s "usr/$folder" "$rootfs/$folder"; done
  mkdir -p "$rootfs/usr/lib64"
  ln -s usr/lib64 "$rootfs/lib64"
  ln -s /run "$rootfs/var/run"
  chmod 0700 "$rootfs/root"
  chmod 1777 "$rootfs/tmp" "$rootfs/var/tmp"
  echo "root:x:0:0:root:/root:/bin/sh" > "$rootfs/etc/passwd"
  echo "root:x:0:" > "$rootfs/etc/group"
  if [ $# = 3 ]; then
    echo "$1:x:$2:$2::$3:/usr/sbin/nologin" >> "$rootfs/etc/passwd"
    echo "$1:x:$2:" >> "$rootfs/etc/group"
  fi
  echo "nobody:x:65534:65534:nobody:/:/usr/sbin/nologin" >> "$rootfs/etc/passwd"
  echo "nogroup:x:65534:" >> "$rootfs/etc/group"
  printf 'passwd: files\ngroup: files\nhosts: files dns\n' > "$rootfs/etc/nsswitch.conf"
}

# A shell and the usual tools, from one static program; what the image has of its own stays.
link_busybox() { # rootfs
  local rootfs=$1 applet
  "$rootfs/bin/busybox" --list-full | while read -r applet; do
    [ "$applet" != bin/busybox ] || continue
    [ -e "$rootfs/$applet" ] || [ -L "$rootfs/$applet" ] || { mkdir -p "$rootfs/$(dirname "$applet")" && ln -s /bin/busybox "$rootfs/$applet"; }
  done
}

compile_static() { # source, target
  gcc -static -Os -s -Wall -o "$2" "$1" || die "cannot compile $1 (static C library: Debian package libc6-dev)"
}

check_libraries() { # rootfs, program
  local rootfs=$1 program=$2 loader missing paths
  loader=$(find "$rootfs/usr/lib64" "$rootfs/usr/lib" -name 'ld-linux*.so.*' -print -quit)
  paths=$(find "$rootfs/usr/lib" -mindepth 1 -maxdepth 1 -type d -name '*-linux-gnu*' -print -quit)
  missing=$("$loader" --library-path "$paths:$rootfs/usr/lib" --list "$rootfs/$program" | grep 'not found' || true)
  [ -z "$missing" ] || die "$program lacks libraries in its image: $missing"
}

pack() { # archive name, reference, stand-in text, further options of make-oci-archive...
  local name=$1 reference=$2 stand_in=$3
  shift 3
  "$here/make-oci-archive" --rootfs "$work/$name" --ref "$reference" --output "$output/$name.tar" \
    --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    --label "io.portcullis.stand-in=$stand_in" "$@"
}

# The recipe of all images: this script, its helper and everything under images/.
recipe=$(cd "$source_dir" && find scripts/build-images scripts/make-oci-archive images -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64)

is_current() { # name; true when recipe and every package version are as at the last build
  local name=$1 stamp=$output/.$1.built packages=()
  [ "$force" = no ] && [ -f "$output/$name.tar" ] && [ -f "$stamp" ] || return 1
  [ "$(head -n 1 "$stamp")" = "$recipe" ] || return 1
  mapfile -t packages < <(tail -n +2 "$stamp" | cut -d' ' -f1)
  [ "${#packages[@]}" != 0 ] || return 0
  cmp -s <(tail -n +2 "$stamp") <(versions_of "${packages[@]}" | sort)
}

build() { # name, function, packages...
  local name=$1 function=$2 started=$SECONDS list=$work/$1.list
  shift 2
  if is_current "$name"; then
    echo "$name: unchanged ($output/$name.tar)"
    return
  fi
  : > "$list"
  if [ $# != 0 ]; then
    require_packages "$@"
    closure_of "$@" > "$list" || die "apt cannot resolve $*"
    echo "$name: $(wc -l < "$list") packages"
  fi
  rm -f "$output/.$name.built"
  "$function" "$list"
  { echo "$recipe" && cat "$list"; } > "$output/.$name.built"
  rm -rf "${work:?}/$name"
  echo "$name: built in $((SECONDS - started)) s, $(du -h "$output/$name.tar" | cut -f1) ($output/$name.tar)"
}
