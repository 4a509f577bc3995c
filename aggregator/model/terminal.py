"""Output that is safe to show on a terminal.

Names of files, titles, and what servers say end up in messages.  An escape sequence in one
could rename the window, hide lines or paste commands; a change of direction could make one
name look like another.  So every line that the program writes goes through here.
"""

from __future__ import annotations

import json
import re

import click

# Controls (C0, DEL, C1), line and paragraph separators, changes of direction, and halves of
# pairs: those stand for bytes of file names that are no text.
_UNSAFE = (
    "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f"
)
_ANY = re.compile(f"[{_UNSAFE}]")
# JSON has its own escapes, and its dump has made them of C0 already.
_IN_JSON = re.compile(f"[{_UNSAFE}]".replace("\x00-\x1f", ""))


def printable(text: str) -> str:
    r"""Return one line, with control and invisible characters escaped as in a Python string.

    >>> printable("a\x1b[2Jb\n\u202ec")
    'a\\x1b[2Jb\\n\\u202ec'
    """
    return _ANY.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def counted(number: int, noun: str) -> str:
    """The number and the noun, in the plural unless there is one.

    >>> counted(1, "problem"), counted(1200, "problem"), counted(0, "copy"), counted(2, "day")
    ('1 problem', '1,200 problems', '0 copies', '2 days')
    """
    if number != 1:
        noun = re.sub("(?<=[^aeiou])y$", "ie", noun) + "s"
    return f"{number:,} {noun}"


def json_text(value: object, indent: int | None = None) -> str:
    """`value` as JSON that can be shown: nothing in it acts on a terminal."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _IN_JSON.sub(lambda match: json.dumps(match[0])[1:-1], text)


def say(line: str = "", *, err: bool = False) -> None:
    """Write one line to standard output, or to standard error."""
    click.echo(printable(line), err=err)


def say_row(cells: tuple[str, ...]) -> None:
    """Write one line of cells that are separated by tabs."""
    click.echo("\t".join(printable(" ".join(cell.split())) for cell in cells))


def say_json(value: object) -> None:
    """Write a value for scripts."""
    click.echo(json_text(value, indent=2))
