"""What libyaml says of a document that is not YAML → what to do about it.  Pure."""

from __future__ import annotations

import re

import yaml

_TAB = re.compile(r" *\t")
_COLON = re.compile(r":(?:\s|$)")


def reason_of(error: yaml.YAMLError, text: str) -> tuple[str, int | None]:
    """Return what is wrong with `text`, and in which line.

    The parsers in C and in Python word it differently, and neither for users.
    """
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, text.find(chr(error.character))) + 1
        return f"the character U+{error.character:04X} is not allowed", line
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return str(error), None
    problem, context = str(error.problem), str(error.context)
    mark = error.problem_mark
    if error.context_mark is not None and ("end of stream" in problem or "simple key" in context):
        # The parser notices only later on.
        mark = error.context_mark
    content = (text.split("\n")[mark.line : mark.line + 1] or [""])[0]
    return _reason(problem, context, content, mark.column), mark.line + 1


def _reason(problem: str, context: str, line: str, column: int) -> str:
    before = line[:column]
    if _TAB.match(line):
        return "tabs are not allowed for indentation: use spaces"
    if "mapping values are not allowed" in problem:
        if _COLON.search(before):
            return "put quotes around a text with ': ' in it"
        return (
            "does not fit the line above: check the indentation, the ': ' there, "
            "and the '- ' of list items"
        )
    if "cannot start any token" in problem:
        return f"put quotes around a text that starts with {line[column : column + 1]}"
    if "scanning an alias" in context or "scanning an anchor" in context:
        return "put quotes around a text that starts with * or &"
    if "expected key" in problem or "expected '-'" in problem or "<block end>" in problem:
        if before.strip():
            return "text after a closing quote; perhaps a quote is missing in a line above"
        return "the indentation does not fit the lines above"
    if "end of stream" in problem:
        return "a quote or bracket is not closed"
    if "flow sequence" in context or "flow mapping" in context:
        return "a list or mapping in brackets is not closed, or lacks a comma"
    if "expected ':'" in problem:
        return "neither a `key: value` nor an item of a list"
    return problem
