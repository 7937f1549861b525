#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build.sh: the build directories, for scripts that are in the root of the tree and source this.
#
#   build        gcc, optimised: the one users get; build/hob is the binary
#   build-asan   clang, AddressSanitizer + UndefinedBehaviorSanitizer, fuzz targets
#   build-tsan   clang, ThreadSanitizer
#   build-cov    gcc, coverage
#
# Compiler warnings are errors in all of them on Debian 12, whose compilers are known.

# shellcheck disable=SC2034 # for those who source this
tests="tests"

# Print nothing when it works, and the end of what the command said when it does not.
quietly() { # log, command...
    quiet_log=$1
    shift
    mkdir -p "$(dirname "$quiet_log")"
    if ! "$@" >"$quiet_log" 2>&1; then
        if grep -qE 'error|ERROR|FAILED' "$quiet_log"; then
            grep -E -A 8 'error|ERROR|FAILED' "$quiet_log" | head -n 60 >&2
        else
            tail -n 30 "$quiet_log" >&2
        fi
        echo "dev: '$*' failed; all of it: $quiet_log" >&2
        return 1
    fi
}

# Options are remembered, so that the directory is configured again when they change.
configure() { # directory, compiler, meson options...
    dir=$1
    compiler=$2
    shift 2
    werror=false
    grep -qs 'VERSION_ID="12"' /etc/os-release && werror=true
    options="$compiler -Dwerror=$werror $*"
    [ "$(cat "$dir/dev-options" 2>/dev/null)" != "$options" ] || return 0
    if grep -qs "^$compiler " "$dir/dev-options"; then how=--reconfigure; else how=--wipe; fi
    [ -f "$dir/build.ninja" ] || how=
    # shellcheck disable=SC2086 # nothing or one word
    CC=$compiler quietly "$dir/dev-setup.log" meson setup $how "$dir" -Dwerror=$werror "$@"
    echo "$options" >"$dir/dev-options"
}

configure_for() { # directory
    case $1 in
        build)
            # ./run comes first and needs no cmocka; when ./test has brought it, tests are built too.
            with_tests=disabled
            if pkg-config --exists cmocka 2>/dev/null; then with_tests=enabled; fi
            configure build gcc "-Dtests=$with_tests" ;;
        build-asan)
            set -- -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 -Dfuzz=true
            configure build-asan clang "$@" \
                '-Dc_args=-fno-sanitize-recover=all -fsanitize=fuzzer-no-link' ;;
        build-tsan) configure build-tsan clang -Db_sanitize=thread -Db_lundef=false ;;
        build-cov) configure build-cov gcc -Db_coverage=true ;;
    esac
}

# Configured as meson.build says now, so that compile_commands.json is right.
refresh() { # directory
    configure_for "$1"
    quietly "$1/dev-setup.log" ninja -C "$1" build.ninja
}

build() { # [directory [target...]]
    [ $# -gt 0 ] || set -- build
    configure_for "$1"
    quietly "$1/dev-build.log" ninja -C "$@"
}

# Many bits of address randomness make the shadow memory of clang 14's sanitizers collide now and
# then; without randomness it does not.
sanitized() {
    export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=0
    export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    export TSAN_OPTIONS=halt_on_error=1
    export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-14
    if [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 28)" -gt 28 ] &&
        setarch -R true 2>/dev/null; then
        setarch -R "$@"
    else
        "$@"
    fi
}
