# Sourced by build.sh, test-as.sh and .ci/run: what cargo needs to build for a board, and to run the result here.
# Kept out of .cargo/config.toml, because the same lines would break a build on a board itself.
# shellcheck shell=bash

# Prints the triple this machine's own programs have.
host_target() {
    rustc -vV | sed -n 's/^host: //p'
}

# Prints the directory cargo puts its results in.
target_directory() {
    printf '%s\n' "${CARGO_TARGET_DIR:-target}"
}

# Exports the linker and the assembler for target $1; needs nothing when that is this machine.
use_target() {
    [ "$1" = "$(host_target)" ] && return
    case $1 in
    aarch64-unknown-linux-gnu)
        export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
        ;;
    aarch64-unknown-linux-musl)
        # rustup brings the C library and the linker; gcc only assembles tract's kernels.
        export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_MUSL_LINKER=rust-lld
        export CC_aarch64_unknown_linux_musl=aarch64-linux-gnu-gcc
        ;;
    *)
        echo "cross: no settings for target $1, only for aarch64-unknown-linux-gnu and -musl" >&2
        return 2
        ;;
    esac
}

# Prints the command that runs an aarch64 Linux program as the core $1.
emulator() {
    printf 'qemu-aarch64 -cpu %s -L /usr/aarch64-linux-gnu\n' "$1"
}
