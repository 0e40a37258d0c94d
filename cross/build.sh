#!/usr/bin/env bash
# Builds thinkd for a board: one file, stripped, with its size and what it needs from the board.
#
# Usage: cross/build.sh [aarch64-unknown-linux-gnu | aarch64-unknown-linux-musl] [cargo arguments]
# The packages it needs are listed in cross/README.md. The result is DIR/dist/thinkd-TARGET, where DIR is cargo's
# target directory. Exits with 1 when the file is over the size limit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. cross/target.sh

size_bytes_max=30000000

target=${1:-aarch64-unknown-linux-gnu}
shift $(($# > 0))
use_target "$target"

cargo build --locked --release --target "$target" --bin thinkd "$@"

built=$(target_directory)/$target/release/thinkd
result=$(target_directory)/dist/thinkd-$target
# Debian names its cross binutils after the gnu triple; they read musl's files as well.
binutils=
[ "$target" = "$(host_target)" ] || binutils=aarch64-linux-gnu-
mkdir -p "${result%/*}"
"${binutils}strip" -o "$result" "$built"

size_bytes=$(stat -c %s "$result")
printf '%s\n  size   %s bytes (limit %s)\n' "$result" "$size_bytes" "$size_bytes_max"
if "${binutils}readelf" --program-headers "$result" | grep -q INTERP; then
    libraries=$("${binutils}readelf" --dynamic "$result" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | paste -sd' ')
    glibc=$("${binutils}objdump" -T "$result" | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
    printf '  needs  %s\n  glibc  %s or newer\n' "$libraries" "${glibc#GLIBC_}"
else
    printf '  needs  nothing: statically linked\n'
fi
if ((size_bytes > size_bytes_max)); then
    echo "cross: $result has $size_bytes bytes, the limit is $size_bytes_max" >&2
    exit 1
fi
