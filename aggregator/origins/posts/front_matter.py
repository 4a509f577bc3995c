"""A post's text → its metadata and its body, mended where that is possible.

Pure.  The handlers are python-frontmatter's and split as it does; they load YAML, TOML and
JSON in our own way, since its own loaders can be made to crash or to hang.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from frontmatter.default_handlers import BaseHandler, JSONHandler, YAMLHandler

from aggregator.articles import sanitize
from aggregator.config import safe_yaml
from aggregator.model import nesting
from aggregator.model.errors import UnusableError

MAX_FRONT_MATTER = 64 * 1024
MAX_LINE = 4096
MAX_MENDED_LINES = 200

_LONG_TITLE = re.compile(rf"^(title:[ \t].{{{MAX_LINE}}})[^\n]*", re.MULTILINE)
_PLAIN_LINE = re.compile(r"([A-Za-z_][\w-]*):[ \t]+(\S.*)")
_WELL_FORMED = re.compile(r"\[.*\]|\{.*\}|[|>][+-]?\d?|[+-]?\d+|true|false|null|~")


@dataclass(slots=True)
class FrontMatter:
    """A post's metadata and body.  `notes` are (line, text) of doubtful metadata."""

    values: dict[str, Any]
    body: str
    notes: list[tuple[int, str]] = field(default_factory=list)


def has_front_matter(text: str) -> bool:
    """Return whether a text starts with front matter."""
    return _handler_for(text.lstrip()) is not None


def split(text: str) -> FrontMatter:
    """Return the metadata and the body of a post's whole text.

    Raises `UnusableError`, with the line where it is known, for front matter that is
    missing, not closed, too large, or beyond mending.
    """
    stripped = text.lstrip()
    skipped = text[: len(text) - len(stripped)].count("\n")
    handler = _handler_for(stripped)
    if handler is None:
        raise UnusableError("no front matter: a post starts with a line of three dashes (---)", 1)
    try:
        front, body = handler.split(stripped)
    except UnusableError as error:
        raise _moved(error, skipped) from error
    except ValueError as error:
        raise UnusableError(
            "the front matter is not closed: its last line (--- or +++) is missing", 1 + skipped
        ) from error
    if len(front) > MAX_LINE:
        front = _LONG_TITLE.sub(_closed, front)  # titles are cut shorter later on
        if len(front.encode()) > MAX_FRONT_MATTER:
            raise UnusableError(f"front matter of more than {MAX_FRONT_MATTER // 1024} KiB", 1)
    try:
        values = handler.load(front)
    except UnusableError as error:
        raise _moved(error, skipped) from error
    notes = [(line + skipped, note) for line, note in getattr(handler, "notes", ())]
    return FrontMatter(values, body, notes)


class _Yaml(YAMLHandler):
    """YAML between lines of dashes."""

    # YAML ends a document by either, and so does Jekyll.
    FM_BOUNDARY = re.compile(r"^(?:-{3,}|\.{3})[ \t]*$", re.MULTILINE)

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[tuple[int, str]] = []

    def load(self, fm: str, **kwargs: object) -> Any:
        """Return the mapping in `fm`; quotes and colons in plain lines are mended."""
        try:
            document = safe_yaml.load(fm)
        except safe_yaml.MalformedError:
            mended = _mend(fm)
            if mended == fm:
                raise
            document = safe_yaml.load(mended)
        for path in document.duplicates:
            self.notes.append(
                (document.lines[path], f"the key {path[-1]} appears twice: the last one was used")
            )
        return _mapping(document.value)


class _Toml(BaseHandler):
    """TOML between lines of plus signs, as Hugo writes it."""

    FM_BOUNDARY = re.compile(r"^\+{3,}[ \t]*$", re.MULTILINE)

    def load(self, fm: str) -> Any:
        """Return the table in `fm`."""
        nesting.check_toml(fm, safe_yaml.MAX_DEPTH)
        try:
            return _mapping(tomllib.loads(fm.replace("\r\n", "\n")))
        except ValueError as error:
            found = re.search(r"at line (\d+)", str(error))
            raise UnusableError(
                f"not valid TOML: {error}", int(found[1]) if found else None
            ) from error


class _Json(JSONHandler):
    """A JSON object at the start of the file."""

    def split(self, text: str) -> tuple[str, str]:
        """Return the object and what follows it.  Raises `UnusableError` if it is not valid."""
        nesting.check_json(text, safe_yaml.MAX_DEPTH)
        try:
            _, end = json.JSONDecoder().raw_decode(text)
        except json.JSONDecodeError as error:
            raise UnusableError(f"not valid JSON: {error.msg}", error.lineno) from error
        except ValueError as error:
            raise UnusableError("front matter with a number of thousands of digits", 1) from error
        return text[:end], text[end:]

    def load(self, fm: str, **kwargs: object) -> Any:
        """Return the object in `fm`."""
        return _mapping(json.loads(fm))


def text_of(value: object) -> str:
    """Return a scalar of the front matter as one line of text, empty for anything else."""
    if isinstance(value, bool) or value is None or isinstance(value, list | dict):
        return ""
    return " ".join(sanitize.without_forbidden(str(value)).split())


def code_of(value: object) -> str | None:
    """Return the front matter's code.  Raises `UnusableError` for a value that can't be one."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str):
        kind = {bool: "true or false", list: "a list", dict: "a mapping"}.get(
            type(value), "not text"
        )
        raise UnusableError(f"the code in the front matter is {kind}, not a code")
    return str(value)


def words_of(*values: object) -> list[str]:
    """Return the values of lists, and the words of texts, as Jekyll reads `categories`, `tags`."""
    found: list[str] = []
    for value in values:
        if isinstance(value, str):
            found += sanitize.without_forbidden(value).split()
        else:
            found += map(text_of, value if isinstance(value, list) else [value])
    return [word for word in found if word]


def items_of(value: object) -> list[str]:
    """Return the values of a list, or a text as one: as Jekyll reads `category` and `tag`."""
    return [text for text in map(text_of, value if isinstance(value, list) else [value]) if text]


def authors_of(values: Mapping[str, object]) -> list[str]:
    """Return the names under `author` and `authors`: texts, mappings with a name, or lists."""
    found = []
    for key in ("author", "authors"):
        value = values.get(key)
        for item in value if isinstance(value, list) else [value]:
            found.append(text_of(item.get("name") if isinstance(item, dict) else item))
    return [name for name in found if name]


def _handler_for(text: str) -> BaseHandler | None:
    if text.startswith("---"):
        return _Yaml()
    if text.startswith("+++"):
        return _Toml()
    if text.startswith("{") and not text.startswith(("{%", "{{")):
        return _Json()
    return None


def _moved(error: UnusableError, lines: int) -> UnusableError:
    """Return the same error, `lines` further down."""
    return UnusableError(error.reason, None if error.line is None else error.line + lines)


def _mapping(value: object) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnusableError("front matter must be keys and values", 2)
    return value


def _mend(front: str) -> str:
    """Return the front matter with the values of top-level `key: value` lines quoted again.

    Scrapers put titles in double quotes without escaping, or leave a colon unquoted.
    """
    lines = front.split("\n")
    for number, line in enumerate(lines[:MAX_MENDED_LINES]):
        match = _PLAIN_LINE.fullmatch(line)
        if match is None or _WELL_FORMED.fullmatch(match[2].rstrip()):
            continue
        key, value = match[1], match[2].rstrip()
        for quote in ('"', "'"):
            if len(value) > 1 and value[0] == value[-1] == quote:
                value = value[1:-1]
                break
            if value.count(quote) == 1:
                value = value.strip(quote)
        value = value.replace('\\"', '"').replace("\\", "\\\\").replace('"', '\\"')
        lines[number] = f'{key}: "{value}"'
    return "\n".join(lines)


def _closed(match: re.Match[str]) -> str:
    """Return a clipped `title:` line with its opening quote closed again."""
    line = match[1]
    value = line.removeprefix("title:").lstrip()
    quote = value[0] if value[:1] in ('"', "'") else ""
    return line.rstrip("\\") + quote
