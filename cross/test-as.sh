#!/usr/bin/env bash
# Runs the tests as a board would: emulated, on each core named, with what that core can do and what it cannot.
#
# Usage: cross/test-as.sh [core ...] [-- arguments of cargo test]
#   cross/test-as.sh                                 the cores of the supported boards, all tests
#   cross/test-as.sh cortex-a72 -- --lib kernels::   one core, one module
# Cores: cortex-a53, -a57, -a72, -a76, neoverse-n1, max. The packages it needs are listed in cross/README.md.
# Before the tests, thinkd itself says on every core which kernels it chose; another set than expected is a failure.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. cross/target.sh

target=aarch64-unknown-linux-gnu

# Prints the kernel set that core $1 must choose.
expected_set() {
    case $1 in
    cortex-a53 | cortex-a57 | cortex-a72) echo neon ;;
    cortex-a76 | neoverse-n1) echo neon+dotprod ;;
    max) echo neon+i8mm ;;
    *)
        echo "cross: core $1 is not in the table of cross/test-as.sh" >&2
        return 2
        ;;
    esac
}

cores=()
while (($#)) && [ "$1" != -- ]; do
    cores+=("$1")
    shift
done
shift $(($# > 0))
((${#cores[@]})) || cores=(cortex-a53 cortex-a57 cortex-a72 cortex-a76)
for core in "${cores[@]}"; do
    expected_set "$core" >/dev/null
done

use_target "$target"
cargo build --locked --release --target "$target" --bin thinkd
thinkd=$(target_directory)/$target/release/thinkd

for core in "${cores[@]}"; do
    echo "== $core"
    run=$(emulator "$core")
    expected=$(expected_set "$core")
    # shellcheck disable=SC2086  # a command and its arguments
    chosen=$($run "$thinkd" check | sed -n 's/^kernels *\([^ ]*\).*/\1/p')
    if [ "$chosen" != "$expected" ]; then
        echo "cross: thinkd chose the kernels \"$chosen\" on $core, \"$expected\" was expected" >&2
        exit 1
    fi
    echo "kernels: $chosen, as expected"
    # The first is for cargo, the second for tests that start a program themselves (tests/support/program.rs).
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=$run THINKD_TEST_RUNNER=$run
    cargo test --locked --release --target "$target" "$@"
done
