# SPDX-License-Identifier: Apache-2.0
"""A sync that fails once, and a power cut: a library between the server and the system plays the disk."""
import os
import shutil
import subprocess

from lib import Resp, RespError, Skip, check, equal, pairs, rig, within

# The next fdatasync fails when the file that SYNC_FAILS names is there, and only that one: as Linux does it, the ones
# behind it succeed.
LIBRARY = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
int fdatasync(int fd) {
    const char *path = getenv("SYNC_FAILS");
    if (path != NULL && unlink(path) == 0) {
        errno = EIO;
        return -1;
    }
    int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return next(fd);
}
"""


def library(hob):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise Skip("there is no C compiler for the library in between")
    source, built = hob.dir / "sync_fails.c", hob.dir / "sync_fails.so"
    source.write_text(LIBRARY)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", str(built), str(source), "-ldl"], check=True)
    return built


def start_on_it(hob):
    options = os.environ.get("ASAN_OPTIONS", "")
    hob.start(prefix=("env", f"LD_PRELOAD={library(hob)}", f"SYNC_FAILS={hob.dir / 'now'}",
                      f"ASAN_OPTIONS={options}:verify_asan_link_order=0"))


def push_until_it_ends(hob):
    """The ids that were acknowledged before the server ended."""
    client, acknowledged = Resp(hob.port), []
    try:
        while True:
            acknowledged.append(client.call("PUSH", "q", "k", b"%d" % len(acknowledged) + b"x" * 500))
            if len(acknowledged) == 100:
                (hob.dir / "now").write_text("")
            check(len(acknowledged) < 100000, "the server went on after a failed sync")
    except (OSError, ConnectionError, RespError):
        return acknowledged
    finally:
        client.close()


def test_a_sync_that_fails_once_ends_the_server_and_loses_nothing():
    with rig(None) as hob:
        start_on_it(hob)
        acknowledged = push_until_it_ends(hob)
        equal(hob.server.wait(60), 74, "the exit code")
        within(hob.server_log(), "the journal has failed")
        within(hob.server_log(), "cannot sync")
        check(100 <= len(acknowledged) < 200, f"{len(acknowledged)} were acknowledged")
        within(hob.hob("journal", "check", str(hob.data)), "good: ")
        hob.start()
        client = hob.resp()
        for n, job in enumerate(acknowledged):
            got = client.call("GET", job)
            check(got is not None, f"job {job} was acknowledged and is lost")
            check(pairs(got)[b"payload"].startswith(b"%dx" % n), f"job {job} is another one")
        # What was not acknowledged may be there: once, and whole.
        jobs = int(pairs(client.call("STATS"))[b"available"])
        check(len(acknowledged) <= jobs <= len(acknowledged) + 1, f"{jobs} jobs")
