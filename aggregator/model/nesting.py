"""How deep JSON and TOML nest, judged on their text before a parser sees it.  Pure.

Parsers recurse, and where that ends changes from one release of Python to the next.
`safe_yaml` does the same for YAML.
"""

from __future__ import annotations

import re

from aggregator.model.errors import UnusableError

# Of documents from upstream; what people write by hand is held to less.
MAX_DEPTH = 100

_JSON_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_TOML_TEXT = re.compile(
    r'"""(?:[^"\\]++|\\.|"{1,2}+(?!"))*+(?:"{3,5})?'
    r"|'''(?:[^']++|'{1,2}+(?!'))*+(?:'{3,5})?"
    r'|"(?:[^"\\\n]++|\\[^\n])*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+",
    re.DOTALL,
)
_BRACKET = re.compile(r"[\[\]{}]")


def check_json(text: str, limit: int = MAX_DEPTH) -> None:
    """Raise `UnusableError` if the JSON value at the start of `text` is deeper than `limit`."""
    if text.count("[") + text.count("{") > limit:
        _check(_JSON_STRING.sub("", text), limit, ends=True)


def check_toml(text: str, limit: int) -> None:
    """Raise `UnusableError` if tables or arrays nest deeper, or a key has more parts."""
    if text.count("[") + text.count("{") <= limit and text.count(".") <= limit:
        return
    plain = _TOML_TEXT.sub(lambda match: "\n" * match[0].count("\n"), text)
    _check(plain, limit, ends=False)
    long_key = re.search(rf"\.[ \t]*+(?:[\w-]*+[ \t]*+\.[ \t]*+){{{limit}}}", plain)
    if long_key is not None:
        raise _refusal(plain, long_key.start(), limit)


def _check(plain: str, limit: int, *, ends: bool) -> None:
    """Check a text without its strings; with `ends`, stop at the end of the first value."""
    depth = 0
    for match in _BRACKET.finditer(plain):
        if match[0] in "[{":
            depth += 1
            if depth > limit:
                raise _refusal(plain, match.start(), limit)
        else:
            depth = max(depth - 1, 0)
            if ends and not depth:
                return


def _refusal(plain: str, place: int, limit: int) -> UnusableError:
    return UnusableError(f"nested deeper than {limit} levels", plain.count("\n", 0, place) + 1)
