# SPDX-License-Identifier: Apache-2.0
"""Completion in real shells, and the pages of the manual: everything that help knows, they know."""
import os
import pathlib
import re
import subprocess
import tempfile

from lib import HOB, PATIENCE, check, equal, need, rig, within
from test_cli import Terminal


def hob_out(*words):
    return subprocess.run([HOB, *words], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout


def commands():
    """Every command of the table, each with its options, as help tells them."""
    found = {}
    section = None
    for line in hob_out("help").splitlines():
        section = line if line and not line.startswith(" ") else section
        match = re.match(r"  ([a-z-]+(?: [a-z-]+)?)(?:  |$)", line)
        if match and section not in (None, "Topics") and not section.startswith("hob:"):
            words = match[1].split()
            options = hob_out("help", *words).partition("\nOptions\n")[2]
            found[match[1]] = set(re.findall(r"^  (?:-\w, |    )--([a-z-]+)", options, re.M))
    check(len(found) > 15 and "state" in found["ls"], f"help is not understood: {found}")
    return found


def environment(folder, port=1):
    """`hob` in PATH, and nothing of whoever runs the test."""
    bin_folder = pathlib.Path(folder) / "bin"
    bin_folder.mkdir(exist_ok=True)
    if not (bin_folder / "hob").exists():
        (bin_folder / "hob").symlink_to(HOB)
    kept = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}
    return {**kept, "PATH": f"{bin_folder}:/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8", "TERM": "xterm",
            "HOB_SERVER": f"127.0.0.1:{port}", "XDG_CONFIG_HOME": str(folder), "XDG_DATA_HOME": str(folder)}


def shell(words, text, env):
    done = subprocess.run(words, input=text, capture_output=True, text=True, env=env, check=False, timeout=PATIENCE)
    equal((done.returncode, done.stderr), (0, ""), f"{words[0]} and what it complains of")
    return done.stdout


BASH = """
eval "$(hob completion bash)"
ask() {
    COMP_LINE=$1 COMP_POINT=${#1}
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    compopt() { echo "compopt $*"; }
    _hob
    printf '%s\\n' "${COMPREPLY[@]}"
    echo ---end
}
"""


def in_bash(lines, env):
    """What bash offers at the end of each line; a line is the words as readline cuts them."""
    text = BASH
    for words in lines:
        line = "".join(word if word in "=:" and word or number and words[number - 1] in "=:" else f" {word}"
                       for number, word in enumerate(words)).lstrip()
        quoted = " ".join("'" + word + "'" for word in words)
        text += f"ask '{line}' {quoted}\n"
    answers = shell([need("bash"), "--norc", "--noprofile"], text, env).split("---end\n")
    return [set(answer.split()) for answer in answers[:-1]]


def in_fish(lines, env):
    text = "hob completion fish | source\n"
    for line in lines:
        text += f"complete -C '{line}'\necho ---end\n"
    answers = shell([need("fish"), "--no-config"], text, env).split("---end\n")
    return [{line.split("\t")[0] for line in answer.splitlines()} for answer in answers[:-1]]


def in_zsh(lines, env):
    """Typed on a terminal: what is listed below the line."""
    zsh = Terminal(need("zsh"), "-f", "-i", env=env, size=(200, 200))
    try:
        zsh.type("PS1='READY> ' LISTMAX=10000; autoload -Uz compinit; compinit -u -D; unsetopt beep\n")
        zsh.type('eval "$(hob completion zsh)"; echo scr""ipt-is-in\n')
        zsh.until("script-is-in\r\n")
        zsh.text = zsh.text.rpartition("script-is-in\r\n")[2]
        zsh.until("READY> ")  # from here on it reads keys, and not lines of the terminal's
        answers = []
        for number, line in enumerate(lines):
            zsh.text = ""
            zsh.type(line + "\t")
            zsh.type(f"\x15echo do\"\"ne{number}\n")  # Ctrl-U, and a command behind it
            zsh.until(f"done{number}\r\n")
            answer, _, zsh.text = zsh.text.rpartition(f"done{number}\r\n")
            answers.append(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]", "", answer))
            zsh.until("READY> ")
        return answers
    finally:
        zsh.close()


def test_help_man_and_completion_know_the_same():
    """Each option of each command is in its help, its page of the manual, and offered by bash, zsh and fish."""
    known = commands()
    with tempfile.TemporaryDirectory() as folder:
        env = environment(folder)
        bash = in_bash([["hob", *name.split(), "--"] for name in known], env)
        fish = in_fish([f"hob {name} --" for name in known], env)
        zsh = in_zsh([f"hob {name} --" for name in known], env)
        for number, (name, options) in enumerate(known.items()):
            page = hob_out("help", *name.split(), "--man").replace("\\-", "-").replace("\\fR", "")
            wanted = {f"--{option}" for option in options}
            equal(set(re.findall(r"--[a-z-]+", page)) >= wanted, True, f"the page of {name}")
            equal(bash[number], wanted, f"bash, hob {name}")
            equal(fish[number], wanted, f"fish, hob {name}")
            if len(wanted) == 1:
                continue  # zsh writes it into the line at once
            missing = {option for option in wanted if not re.search(rf"^{option}\s", zsh[number], re.M)}
            equal(missing, set(), f"zsh, hob {name}, in {zsh[number]!r}")


def test_words_values_and_names_are_completed():
    """Commands, fixed words, file names; names and ids of the server: in bash, zsh and fish."""
    with rig() as hob:
        hob.hob("push", "mail", "email:send", "1")
        hob.hob("push", "mail", "other", "1")
        hob.hob("cancel", "2")
        env = environment(hob.dir, hob.port)
        bash = in_bash([["hob", "qu"], ["hob", "queues", ""], ["hob", "ls", "--state", "=", "run"],
                        ["hob", "ls", "--state", "running,ca"], ["hob", "push", ""], ["hob", "push", "mail", ""],
                        ["hob", "push", "mail", "email", ":", "s"], ["hob", "get", ""], ["hob", "completion", ""],
                        ["hob", "push", "-f", ""], ["hob", "serve", "-d", ""], ["hob", "cancel", "1", ""],
                        ["hob", "pause", "--why", "x", "m"], ["hob", "version", ""]], env)
        equal(bash, [{"queues"}, {"set", "next"}, {"running"}, {"running\\,cancelled"}, {"mail"},
                     {"email:send", "other"}, {"send"}, {"1", "2"}, {"bash", "zsh", "fish"},
                     {"compopt", "-o", "default"}, {"compopt", "-o", "dirnames"}, {"1", "2"}, {"mail"}, set()])
        (hob.dir / "pay load.json").write_text("{}")
        fish = in_fish(["hob qu", "hob ls --state=run", "hob push mail ", "hob get ",
                        f"hob push -f {hob.dir}/pay", f"hob push --payload-file={hob.dir}/pay"], env)
        equal(fish, [{"queues"}, {"--state=running"}, {"email:send", "other"}, {"1", "2"},
                     {f"{hob.dir}/pay load.json"}, {f"--payload-file={hob.dir}/pay load.json"}])
        zsh = in_zsh(["hob queue", "hob ls --state=run", "hob push mail ", "hob get ",
                      f"hob push --payload-file={hob.dir}/pay"], env)
        for text, wanted in zip(zsh, ["hob queues ", "--state=running", "email:send", "other cancelled",
                                      "pay\\ load.json"]):
            within(text, wanted, "zsh")


def test_completion_is_silent_without_a_server():
    """No server, no names: nothing is printed on stderr, and it does not take long."""
    done = subprocess.run([HOB, "complete-words", "--", "get", ""], capture_output=True, text=True, check=True,
                          env={**os.environ, "HOB_SERVER": "127.0.0.1:1"}, timeout=PATIENCE)
    equal((done.stdout, done.stderr), ("words\n", ""))


def test_bash_completes_on_a_terminal():
    """Typed in a real bash: Tab finishes the word."""
    with tempfile.TemporaryDirectory() as folder:
        bash = Terminal(need("bash"), "--norc", "--noprofile", "-i", env=environment(folder))
        try:
            bash.type('eval "$(hob completion bash)"; echo scr""ipt-is-in\n')
            bash.until("script-is-in\r\n")
            bash.type("hob vers\t\n")
            bash.until("hob version ")
            bash.until("hob 0.")
        finally:
            bash.close()


def test_pages_of_the_manual_are_clean():
    """mandoc finds nothing to say against any page; man shows the parts one looks for."""
    mandoc = need("mandoc")
    with tempfile.TemporaryDirectory() as folder:
        hob_out("help", "--man-dir", folder)
        pages = sorted(pathlib.Path(folder).iterdir())
        equal({page.name for page in pages},
              {"hob.1", "hob.yaml.5", *(f"hob-{name.replace(' ', '-')}.1" for name in commands())}, "pages")
        said = subprocess.run([mandoc, "-T", "lint", "-W", "style", *pages], capture_output=True, text=True,
                              check=False)
        equal((said.returncode, said.stdout), (0, ""), "mandoc -T lint")
        shown = subprocess.run([mandoc, "-T", "utf8", f"{folder}/hob.1"], capture_output=True, text=True, check=True)
        text = re.sub(".\b", "", shown.stdout)
        for wanted in ("SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "HOB_SERVER", "hob-queues-set(1)"):
            within(text, wanted, "hob(1)")
        page = (pathlib.Path(folder) / "hob.yaml.5").read_text()
        equal(hob_out("help", "hob.yaml", "--man"), page)
        shown = subprocess.run([mandoc, "-T", "utf8", f"{folder}/hob.yaml.5"], capture_output=True, text=True,
                               check=True)
        text = " ".join(re.sub(".\b", "", shown.stdout).split())
        reference = hob_out("config", "reference")
        keys = re.findall(r"^\| `(?:\w+\.)*(\w+)` \|", reference, re.M)
        check(len(keys) > 50, f"only {len(keys)} keys were found in the reference")
        for key in keys:
            within(text, f"{key}: ", "hob.yaml(5)")
        for variable in re.findall(r"`(HOB_\w+)`", reference):
            within(text, f"Variable {variable}.", "hob.yaml(5)")
