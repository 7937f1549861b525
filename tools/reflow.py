#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Break the comment lines that are longer than 100 columns, and leave every other line as it is.

reflow.py FILE...    What does not fit moves to the next line of the same paragraph and keeps its
                     hanging indent ("word   text" and "@name   text" hang at the text). A comment
                     behind code that does not fit goes above it. clang-format would fold tables.
"""
import pathlib
import re
import sys

COLUMNS = 100
COMMENT_LINE = re.compile(r"^(?P<head>\s*(?:/\*\*?| \*))(?P<text> .*?)(?P<end> ?\*/)?$")
HANGING = re.compile(r"^( *\S+(?: \S+){0,2} {2,})(?=\S)")
TRAILING = re.compile(r"^(?P<indent>\s*)(?P<code>[^\s/*].*?)\s*(?P<comment>/\* .* \*/)$")


def hang_of(text):
    """The column at which the lines that continue @text start."""
    hanging = HANGING.match(text)
    return len(hanging[1]) if hanging else len(text) - len(text.lstrip())


def split(prefix, text, end):
    """The part of @text that fits behind @prefix, and the rest without indent."""
    if len(prefix + text + end) <= COLUMNS:
        return text, ""
    cut = text.rfind(" ", 0, COLUMNS - len(prefix) + 1)
    if cut <= hang_of(text):
        return text, ""  # one long word: for a person
    return text[:cut].rstrip(), text[cut:].strip()


def reflow_comment(lines):
    """The lines of one block comment, broken where they are too long."""
    queue = list(lines)
    done = []
    while queue:
        line = queue.pop(0)
        match = COMMENT_LINE.match(line)
        if match is None:
            done.append(line)
            continue
        head, text, end = match["head"], match["text"], match["end"] or ""
        head_next = re.sub(r"/\*\*?", " *", head)
        if head.endswith("/**") and end and len(head + text + end) > COLUMNS:
            done.append(head)
            queue[:0] = [head_next + text, head_next + "/"]
            continue
        fits, rest = split(head, text, end)
        if not rest:
            done.append(head + fits + end)
            continue
        done.append(head + fits)
        indent = " " * hang_of(text)
        follower = COMMENT_LINE.match(queue[0]) if queue else None
        joins = follower and follower["text"].startswith(indent) and not HANGING.match(
            follower["text"]) and follower["text"][len(indent):len(indent) + 1] not in ("", " ")
        if joins and not end:
            queue[0] = head_next + indent + rest + " " + queue[0][len(follower["head"] + indent):]
        else:
            queue.insert(0, head_next + indent + rest + end)
    return done


def reflow(text):
    """@text of a C file with no comment line past the limit, where words allow it."""
    lines = text.split("\n")
    done = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if re.match(r"^\s*/\*", line):
            last = at
            while "*/" not in lines[last] and last + 1 < len(lines):
                last += 1
            block = lines[at:last + 1]
            whole = all(COMMENT_LINE.match(each) or each.strip() in ("*", "*/", "/**", "/*")
                        for each in block)
            done += reflow_block(block) if whole and any(map(is_long, block)) else block
            at = last + 1
            continue
        trailing = TRAILING.match(line) if is_long(line) else None
        if trailing:
            done += reflow_comment([trailing["indent"] + trailing["comment"]])
            done.append(trailing["indent"] + trailing["code"])
        else:
            done.append(line)
        at += 1
    return "\n".join(done)


def is_long(line):
    return len(line) > COLUMNS


def reflow_block(block):
    """A block comment paragraph by paragraph: empty lines and lone ends stay where they are."""
    done, paragraph = [], []
    for line in block + [None]:
        if line is None or not COMMENT_LINE.match(line):
            done += reflow_comment(paragraph)
            paragraph = []
            if line is not None:
                done.append(line)
        else:
            paragraph.append(line)
    return done


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = pathlib.Path(name)
        before = path.read_text()
        after = reflow(before)
        if after != before:
            path.write_text(after)
