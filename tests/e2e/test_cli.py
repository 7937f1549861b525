# SPDX-License-Identifier: Apache-2.0
"""The command line as people and scripts meet it: on a real terminal (a pty), in pipes, under Ctrl-C."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from lib import HOB, PATIENCE, check, equal, eventually, pairs, rig, within

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A program on a terminal of its own; .text is all that it has written."""

    def __init__(self, *words, size=(24, 80), env=None):
        environment = {name: value for name, value in os.environ.items()
                       if name not in ("NO_COLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES")}
        environment |= {"TERM": "xterm-256color", **(env or {})}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(words[0], list(words), environment)
            finally:
                os._exit(127)
        self.resize(*size)
        self.text = ""
        self.code = None

    def resize(self, lines, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def read(self):
        """What has come; False at the end."""
        if not select.select([self.fd], [], [], 0.05)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # EIO: the program has ended
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def until(self, wanted):
        """Read until @wanted (text) has been written."""
        end = time.monotonic() + PATIENCE
        while wanted not in self.text:
            check(self.read() and time.monotonic() < end, f"{wanted!r} does not come; there is {self.text!r}")
        return self

    def end(self):
        """Read to the end; the exit code."""
        end = time.monotonic() + PATIENCE
        while self.read():
            check(time.monotonic() < end, f"it does not end; there is {self.text!r}")
        self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self

    def close(self):
        os.close(self.fd)
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


@contextlib.contextmanager
def terminal(*words, **options):
    one = Terminal(*words, **options)
    try:
        yield one
    finally:
        one.close()


def on_terminal(hob, *words, **options):
    """What `hob words` writes on a terminal, and its exit code."""
    env = {"HOB_SERVER": f"127.0.0.1:{hob.port}", **options.pop("env", {})}
    with terminal(HOB, *words, env=env, **options) as one:
        one.end()
        return one.text.replace("\r\n", "\n"), one.code


def push(hob, count, queue="q", kind="k"):
    lines = "".join(json.dumps({"queue": queue, "kind": kind, "payload": n}) + "\n" for n in range(count))
    return hob.hob("push", "-", stdin=lines).split()


# --- tables ---

def test_a_terminal_gets_a_table_and_a_pipe_gets_tabs():
    """On a terminal: a head, columns, times from now. In a pipe: neither head nor colour, RFC 3339."""
    with rig() as hob:
        push(hob, 2)
        text, code = on_terminal(hob, "ls", "--color", "never")
        equal(code, 0)
        head, *rows, warning = text.splitlines()
        within(warning, "no live worker runs kind `k`", "the warning, on stderr")
        equal(head.split()[:4], ["ID", "QUEUE", "KIND", "STATE"], "head")
        equal(len(rows), 2, "rows")
        check(re.search(r"now|ago", rows[0]), f"a time from now: {rows[0]}")
        equal(head.index("STATE"), rows[0].index("available"), "the column of STATE")
        piped = hob.hob("ls").splitlines()
        equal(len(piped), 2, "rows in a pipe")
        check(re.search(r"\t\d{4}-\d\d-\d\dT[\d:.]+Z\t", piped[0]), f"RFC 3339 in {piped[0]!r}")
        equal(piped[0].split("\t")[:4], ["2", "q", "k", "available"])
        equal(hob.hob("ls", "-q").split(), ["2", "1"], "only ids")
        equal(hob.hob("ls", "--columns", "state,id").splitlines()[0], "available\t2")
        rows = [json.loads(line) for line in hob.hob("ls", "--json").splitlines()]
        equal([row["id"] for row in rows], ["2", "1"], "NDJSON")
        within(hob.hob("ls", "-o", "table"), "STATE")


def test_a_table_fits_the_terminal():
    """Long and wide texts are cut with …; no line is wider than the terminal, whatever its width is."""
    with rig() as hob:
        client = hob.resp()
        client.call("WORKER", "w", "SLOTS", 10)
        hob.hob("push", "work", "a-kind-with-a-rather-long-name.for-narrow-terminals", "1", "--attempts", "1")
        job = client.call("FETCH", "w", "QUEUES", "work")[0]
        client.call("FAIL", job[0], job[1], "日本語のとても長いエラーメッセージ " * 4)
        for columns in (120, 80, 60, 40):
            text, _ = on_terminal(hob, "ls", size=(24, columns), env={"NO_COLOR": "1"})
            for line in text.splitlines():
                width = sum(2 if ord(char) > 0x2E7F else 1 for char in line)
                check(width <= columns, f"{width} columns of {columns}: {line!r}")
        within(text, "…")


def test_a_job_cannot_speak_to_the_terminal():
    """Escape sequences and line ends in what workers say are shown harmlessly."""
    with rig() as hob:
        client = hob.resp()
        client.call("WORKER", "w", "SLOTS", 1)
        hob.hob("push", "work", "evil", "1", "--attempts", "1")
        job = client.call("FETCH", "w", "QUEUES", "work")[0]
        client.call("FAIL", job[0], job[1], "a\x1b]0;owned\x07b\nc\x9bd")
        for words in (["ls"], ["errors"], ["get", "1"]):
            text, _ = on_terminal(hob, *words, env={"NO_COLOR": "1"})
            check("\x1b" not in text and "\x07" not in text and "\x9b" not in text, f"{words}: {text!r}")
        equal(len(hob.hob("ls").splitlines()), 1, "rows in a pipe")


def test_colour_only_where_it_is_wanted():
    """A terminal has colour unless NO_COLOR, TERM=dumb or --color never; a pipe only with CLICOLOR_FORCE or always."""
    with rig() as hob:
        push(hob, 1)
        hob.hob("cancel", "1")

        def colored(words=(), **env):
            return "\x1b[" in on_terminal(hob, "ls", *words, env=env)[0]

        check(colored(), "a terminal has colour")
        check(not colored(NO_COLOR="1"), "NO_COLOR")
        check(not colored(TERM="dumb"), "TERM=dumb")
        check(not colored(["--color", "never"]), "--color never")
        check(not colored(["--color=never"], CLICOLOR_FORCE="1"), "--color goes before CLICOLOR_FORCE")
        check(not colored(CLICOLOR_FORCE="1", NO_COLOR="1"), "NO_COLOR goes before CLICOLOR_FORCE")
        check(colored(["--color", "always"], NO_COLOR="1"), "--color goes before NO_COLOR")
        check("\x1b[" not in hob.hob("ls"), "a pipe has no colour")
        check("\x1b[" in hob.hob("ls", "-o", "table", "--color", "always"), "unless it is asked for")


# --- looking again and again ---

def test_watching_redraws_on_a_terminal_and_leaves_it_clean():
    """ls --watch draws over itself, follows a resize, and Ctrl-C gives the cursor back."""
    with rig() as hob:
        push(hob, 1)
        env = {"HOB_SERVER": f"127.0.0.1:{hob.port}", "NO_COLOR": "1"}
        with terminal(HOB, "ls", "--watch=200ms", env=env, size=(24, 100)) as one:
            one.until("available")
            check(one.text.startswith("\x1b[?25l"), "the cursor is hidden first")
            hob.hob("cancel", "1")
            one.until("cancelled")
            check(re.search(r"\x1b\[\d+A", one.text), "it goes up over what was drawn")
            one.resize(10, 50)
            one.until("\x1b[2J")
            push(hob, 30)
            one.until("31 ")
            last = ESCAPES.sub("", one.text[one.text.rindex("hob ls,"):])
            check(len(last.splitlines()) <= 10, f"more lines than the terminal has: {last!r}")
            one.type("\x03")
            one.end()
            check(one.text.endswith("\x1b[?25h\r\n"), f"the cursor is back: {one.text[-40:]!r}")
            equal(one.code, 130, "exit code")


def test_watching_in_a_pipe_prints_changes():
    """Piped, ls --watch prints a line for each row that is new or changed, and nothing else."""
    with rig() as hob:
        push(hob, 2)
        watch = subprocess.Popen([HOB, "ls", "--watch=100ms"], stdout=subprocess.PIPE, text=True,
                                 env={**os.environ, "HOB_SERVER": f"127.0.0.1:{hob.port}"})
        hob.processes.append(watch)
        first = [watch.stdout.readline() for _ in range(2)]
        equal([line.split("\t")[0] for line in first], ["2", "1"])
        hob.hob("cancel", "1")
        line = watch.stdout.readline().split("\t")
        equal((line[0], line[3]), ("1", "cancelled"))
        hob.hob("push", "q", "k")
        equal(watch.stdout.readline().split("\t")[0], "3")
        watch.send_signal(signal.SIGINT)
        equal(watch.wait(PATIENCE), 130, "exit code")
        equal(watch.stdout.read(), "", "what came after")


def test_a_reader_that_leaves_is_no_error():
    """hob ls | head: no complaint."""
    with rig() as hob:
        push(hob, 3000)
        environment = {**os.environ, "HOB_SERVER": f"127.0.0.1:{hob.port}"}
        done = subprocess.run(["sh", "-c", f"{HOB} ls -n 3000 | head -n 1"], capture_output=True, text=True,
                              env=environment, timeout=PATIENCE, check=False)
        equal((done.returncode, done.stderr), (0, ""))
        within(done.stdout, "3000\t")


# --- many at once ---

def test_a_filter_counts_and_asks():
    """On a terminal a filter shows how many and asks; no means nothing is done."""
    with rig() as hob:
        push(hob, 3)
        push(hob, 2, queue="other")
        env = {"HOB_SERVER": f"127.0.0.1:{hob.port}"}
        with terminal(HOB, "cancel", "--queue", "q", env=env) as one:
            one.until("3 jobs will be cancelled. Go on? [y/N] ")
            one.type("\n")
            one.end()
            within(one.text, "Nothing was done")
            equal(one.code, 1)
        equal(len(hob.hob("ls", "--state", "available", "-q").split()), 5)
        with terminal(HOB, "cancel", "--queue", "q", env=env) as one:
            one.until("[y/N] ")
            one.type("y\n")
            one.end()
            equal(one.code, 0)
        equal(hob.hob("ls", "--state", "cancelled", "-q").split(), ["3", "2", "1"])


def test_a_script_says_yes():
    """Without a terminal a filter needs --yes; --dry-run prints the ids and does nothing."""
    with rig() as hob:
        push(hob, 30)
        within(hob.hob("delete", "--queue", "q", "--state", "available", code=2), "30 jobs would be deleted: say --yes")
        equal(len(hob.hob("delete", "--queue", "q", "--state", "available", "--dry-run").split()), 30)
        equal(len(hob.hob("ls", "-q").split()), 30)
        done = hob.hob_done("delete", "--queue", "q", "--state", "available", "--yes")
        equal((done.returncode, done.stdout, done.stderr), (0, "", "30 jobs deleted\n"))
        equal(hob.hob("ls", "-q"), "")
        within(hob.hob_done("delete", "--queue", "q", "-y").stderr, "no job is like that")
        hob.hob("delete", code=2)
        hob.hob("delete", "1", "--queue", "q", code=2)


def test_ids_come_from_stdin():
    """`-` takes ids from stdin; a wrong one is told with its line before anything is done."""
    with rig() as hob:
        push(hob, 3)
        within(hob.hob("cancel", "-", stdin="1\n2\nx\n", code=2), "line 3: `x`")
        equal(hob.hob("ls", "--state", "cancelled", "-q"), "")
        hob.hob("cancel", "-", stdin="1\n\n3\n")
        equal(hob.hob("ls", "--state", "cancelled", "-q").split(), ["3", "1"])
        error = hob.hob("cancel", "1", "2", "99", code=1)
        within(error, "job 2: cancelled")
        within(error, "job 1: ")
        within(error, "job 99: ")
        hob.hob("cancel", "2", code=7)
        hob.hob("retry", "99", code=3)


def test_ctrl_c_tells_what_was_done():
    """Ctrl-C ends long work with a sum; what it says was done was done, and the same command goes on with the rest."""
    with rig() as hob:
        count = 20000
        hob.hob("push", "-", stdin='{"queue":"q","kind":"k"}\n' * count)
        client = hob.resp()
        with terminal(HOB, "discard", "--queue", "q", "--yes", env={"HOB_SERVER": f"127.0.0.1:{hob.port}"}) as one:
            eventually(lambda: pairs(client.call("STATS"))[b"discarded"], "the first ones")
            hob.server.send_signal(signal.SIGSTOP)  # so that it cannot be faster than we are
            one.type("\x03")
            one.until("^C")
            hob.server.send_signal(signal.SIGCONT)
            one.end()
            stopped = re.search(r"([\d,]+) jobs discarded; stopped before ([\d,]+) jobs", one.text)
            check(stopped, f"no sum in {one.text!r}")
            equal(one.code, 130)
        done, left = (int(number.replace(",", "")) for number in stopped.groups())
        equal(done + left, count, "done and left")
        equal(pairs(client.call("STATS"))[b"discarded"], done)
        within(hob.hob_done("discard", "--queue", "q", "--yes").stderr, f"{left:,} jobs discarded")


def test_ctrl_c_of_a_stream_tells_the_line():
    """hob push - under Ctrl-C: what was sent is answered, and it says with which line to go on."""
    with rig() as hob:
        stream = subprocess.Popen([HOB, "push", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True,
                                  env={**os.environ, "HOB_SERVER": f"127.0.0.1:{hob.port}"})
        hob.processes.append(stream)
        stream.stdin.write('{"queue":"q","kind":"k"}\nx\n{"queue":"q","kind":"k"}\n')
        stream.stdin.flush()
        equal([stream.stdout.readline() for _ in range(2)], ["1\n", "2\n"])
        stream.send_signal(signal.SIGINT)
        equal(stream.wait(PATIENCE), 130)
        within(stream.stderr.read(), "2 jobs pushed, 1 line failed; stopped after line 3, to go on: tail -n +4 FILE")
        stream.stdin.close()
        stream.stderr.close()


# --- single commands ---

def test_waiting_for_several():
    """hob wait ID… tells how each ended; one that failed makes it exit 1; the time is for all of them."""
    with rig() as hob:
        hob.work({"good": ["/bin/true"], "bad": ["/bin/false"]}, queues=["work"])
        good, bad = (hob.hob("push", "work", kind, "--attempts", "1").strip() for kind in ("good", "bad"))
        done = hob.hob_done("wait", good, bad)
        equal((done.returncode, done.stdout), (1, f"{good}\tcompleted\n{bad}\tdiscarded\n"))
        within(done.stderr, f"job {bad} is discarded: exit 1")
        equal(hob.hob("wait", "-", stdin=f"{good}\n{good}\n"), f"{good}\tcompleted\n" * 2)
        equal(hob.hob("wait", good), "completed\n")
        never = hob.hob("push", "elsewhere", "k").strip()
        within(hob.hob("wait", never, good, "-t", "200ms", code=6), f"job {never} is still available")


def test_payload_from_stdin():
    """echo … | hob push QUEUE KIND -: the payload is what is on stdin; typing it is asked for."""
    with rig() as hob:
        job = hob.hob("push", "mail", "welcome", "-", stdin='{"to":"a@b"}\n').strip()
        equal(hob.hob("get", job, "--payload"), '{"to":"a@b"}\n')
        job = hob.hob("push", "mail", "welcome", "-f", "-", stdin="x").strip()
        equal(hob.hob("get", job, "--payload"), "x")
        with terminal(HOB, "push", "mail", "welcome", "-", env={"HOB_SERVER": f"127.0.0.1:{hob.port}"}) as one:
            one.until("Type the payload")
            one.type("typed\n\x04")
            one.end()
            equal(one.code, 0)
        equal(hob.hob("get", "3", "--payload"), "typed\n")
        text, code = on_terminal(hob, "push", "-")
        equal(code, 2)
        within(text, "one JSON object a line")


def test_errors_puts_together_what_is_alike():
    """Failures of one kind whose texts differ in numbers, ids and quoted words are one row."""
    with rig() as hob:
        client = hob.resp()
        client.call("WORKER", "w", "SLOTS", 20)

        def fail(kind, text, *more):
            hob.hob("push", "work", kind, "--attempts", "1")
            job = client.call("FETCH", "w", "QUEUES", "work")[0]
            client.call("FAIL", job[0], job[1], text, *more)

        for number in (1, 22, 333):
            fail("mail", f"no customer {number} in '{'x' * number}'")
        fail("mail", "request 0bf9c2e4-77aa timed out", "WHAT", "Timeout")
        fail("mail", "request 1234abcd-0001 timed out", "WHAT", "Timeout")
        fail("other", "no customer 1 in 'x'")
        rows = [json.loads(line) for line in hob.hob("errors", "--json").splitlines()]
        equal([(row["jobs"], row["kind"]) for row in rows], [(3, "mail"), (2, "mail"), (1, "other")])
        equal((rows[0]["last_id"], rows[0]["cause"], rows[1]["what"]), ("3", "failed", "Timeout"))
        equal(hob.hob("errors", "--kind", "other").split("\t")[0], "1")
        text, _ = on_terminal(hob, "errors")
        within(text, "JOBS")


def test_stats_for_people_and_programs():
    """On a terminal a few lines that can be read; in a pipe every figure, a line each."""
    with rig() as hob:
        push(hob, 1200)
        text, _ = on_terminal(hob, "stats", env={"NO_COLOR": "1"})
        within(text, "1,200 available")
        within(text, "1 queue,")
        check(len(text.splitlines()) < 12, text)
        figures = dict(line.split("\t") for line in hob.hob("stats").splitlines())
        equal(figures["available"], "1200")


def test_options_in_front_of_the_command():
    """hob --server X --json ls: common options may stand first; unknown words are told with the nearest one."""
    with rig() as hob:
        push(hob, 1)
        equal(json.loads(hob.hob("--json", "--server", f"127.0.0.1:{hob.port}", "ls"))["id"], "1")
        within(hob.hob("psuh", code=2), "did you mean `push`?")
        within(hob.hob("ls", "--sate", "running", code=2), "did you mean `--state`?")
        within(hob.hob("ls", "--state", "complete", code=2), "did you mean `completed`?")
        within(hob.hob("queues", "sett", code=2), "did you mean `set`?")
        within(hob.hob("-x", code=2), "behind it")
        within(hob.hob("show", "1"), "available")
        within(hob.hob("kill", "99", code=3), "no such job")
        within(hob.hob(), "hob serve --data")
        for words in (["--version"], ["-V"], ["version"]):
            check(hob.hob(*words).startswith("hob "), str(words))
