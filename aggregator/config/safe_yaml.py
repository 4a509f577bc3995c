"""YAML from strangers, as plain values with line numbers.

Values are built from the parser's events, on a stack of our own: nothing recurses, no
tag constructs anything, and anchors, aliases and deep nesting are refused before they
cost anything.  One pass is both the guard and the loader; only a text that could be too
deep for the parser itself is scanned first.

Scalars follow the core schema of YAML 1.2, without floats and dates: a title `2021-12` or
`1e3` is text.  Octal, sexagesimal and `yes`/`no` are text, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, cast

import yaml

from aggregator.config import yaml_errors
from aggregator.model.errors import UnusableError

Value: TypeAlias = "str | int | bool | list[Value] | dict[str, Value] | None"
Path: TypeAlias = tuple[str | int, ...]

MAX_DEPTH = 20
# Parsers have limits of their own, which differ from version to version; the lowest is at
# 1,000 brackets or blocks.  A text with fewer than these cannot reach it.
_MANY_BRACKETS = 400
_MANY_BLOCKS = re.compile(r"[ \t?:-]{400}")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_FLAT_LINE = re.compile(
    r'([A-Za-z_][A-Za-z0-9_-]*): +(?:(\w[^\t\x7f-\x9f\ufeff]*)|"([^"\\\t\x7f-\x9f\ufeff]*)")'
)
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_STARTS = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)
_ENDS = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)
_CORE_TAG = "tag:yaml.org,2002:"
_HARMLESS_TAGS = {None, "!"} | {
    _CORE_TAG + name for name in ("str", "int", "bool", "null", "seq", "map", "float", "timestamp")
}


class MalformedError(UnusableError):
    """The text is not valid YAML; it may be repaired.

    What is forbidden raises a plain `UnusableError`.
    """


@dataclass(slots=True)
class Document:
    """A loaded document.

    `lines` has the line (from 1) of every key and item by its path, `duplicates` the
    paths of keys that appear twice, where the later value has won.
    """

    value: Value = None
    lines: dict[Path, int] = field(default_factory=dict)
    duplicates: list[Path] = field(default_factory=list)


def load(text: str) -> Document:
    """Load one YAML document.

    Raises `UnusableError` with the line for anything but plain, shallow data, and its
    subclass `MalformedError` for a text that is not YAML.
    """
    document = Document()
    if _load_flat(text, document):
        return document
    document = Document()
    try:
        _check_depth(text)
        _build(text, document)
    except yaml.YAMLError as error:
        reason, line = yaml_errors.reason_of(error, text)
        raise MalformedError(f"not valid YAML: {reason}", line) from error
    return document


def _load_flat(text: str, document: Document) -> bool:
    """Load a document of plain `key: value` lines only, as nearly every post has.

    Such lines can neither nest nor refer to each other, and need no parser: without one, a
    first build of 10,000 posts takes 5 % less of the processor.  Returns False, with
    `document` half-filled, for anything else; where it returns True, the parser agrees.
    """
    values: dict[str, Value] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line:
            continue
        match = _FLAT_LINE.fullmatch(line)
        if match is None:
            return False
        key, plain, quoted = match.groups()
        if quoted is None and (": " in plain or " #" in plain or plain[-1] in ": "):
            return False
        if key in values:
            document.duplicates.append((key,))
        values[key] = quoted if quoted is not None else _scalar(plain, number)
        document.lines[(key,)] = number
    document.value = values or None
    return True


def _check_depth(text: str) -> None:
    """Raise `UnusableError` for a text that nests deeper than a parser might follow.

    A block begins further right than the one around it, so a deep one has a long line of
    blanks and indicators; every other level has a bracket.
    """
    if text.count("[") + text.count("{") < _MANY_BRACKETS and not _MANY_BLOCKS.search(text):
        return
    depth = 0
    # The scanner in Python has no limit, and is the same in every version.
    for token in cast("Iterator[Any]", yaml.scan(text, Loader=yaml.SafeLoader)):
        if isinstance(token, _STARTS):
            depth += 1
            if depth > MAX_DEPTH:
                line = token.start_mark.line + 1
                raise UnusableError(f"nested deeper than {MAX_DEPTH} levels", line)
        elif isinstance(token, _ENDS):
            depth -= 1


@dataclass(slots=True)
class _Frame:
    """An open collection, its path, and the key whose value comes next in a mapping."""

    container: list[Value] | dict[str, Value]
    path: Path
    key: str | None = None


def _build(text: str, document: Document) -> None:
    """Fill `document` from the events of `text`."""
    root = _Frame([], ())
    stack = [root]
    for event in cast("Iterator[Any]", yaml.parse(text, Loader=_LOADER)):
        kind = type(event)
        if kind in (yaml.ScalarEvent, yaml.SequenceStartEvent, yaml.MappingStartEvent):
            opened = _add(event, stack[-1], document, is_root=stack[-1] is root)
            if opened is not None:
                if len(stack) > MAX_DEPTH:
                    line = event.start_mark.line + 1
                    raise UnusableError(f"nested deeper than {MAX_DEPTH} levels", line)
                stack.append(opened)
        elif kind in (yaml.SequenceEndEvent, yaml.MappingEndEvent):
            stack.pop()
        elif kind is yaml.AliasEvent:
            raise UnusableError("aliases (*name) are not allowed here", event.start_mark.line + 1)
        elif kind is yaml.DocumentStartEvent and root.container:
            raise UnusableError("more than one document", event.start_mark.line + 1)
    document.value = cast("list[Value]", root.container)[0] if root.container else None


def _add(event: Any, frame: _Frame, document: Document, *, is_root: bool) -> _Frame | None:
    """Add a key or a value to the collection that is open; return the one that it opens."""
    line = event.start_mark.line + 1
    if event.anchor is not None:
        raise UnusableError("anchors (&name) are not allowed here", line)
    if event.tag not in _HARMLESS_TAGS:
        raise UnusableError(f"the tag {_clip(event.tag)} is not allowed here", line)
    container = frame.container
    is_scalar = type(event) is yaml.ScalarEvent
    if isinstance(container, dict) and frame.key is None:
        if not is_scalar:
            raise UnusableError("a key must be plain text", line)
        frame.key = event.value
        path = (*frame.path, event.value)
        if event.value in container:
            document.duplicates.append(path)
        document.lines[path] = line
        return None
    value: Value
    if is_scalar:
        is_plain = event.implicit[0] and not event.style
        value = _scalar(event.value, line) if is_plain else event.value
    else:
        value = [] if type(event) is yaml.SequenceStartEvent else {}
    if isinstance(container, dict):
        key = frame.key or ""
        path = (*frame.path, key)
        container[key] = value
        frame.key = None
    else:
        path = frame.path if is_root else (*frame.path, len(container))
        container.append(value)
        document.lines.setdefault(path, line)
    return _Frame(value, path) if isinstance(value, list | dict) else None


def _scalar(text: str, line: int) -> Value:
    """Return the value of an unquoted scalar."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        try:
            return int(text)
        except ValueError as error:
            raise UnusableError(f"a number of {len(text)} digits", line) from error
    return text


def _clip(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"
