"""Emphasis beside punctuation, as kramdown reads it.  Pure.

To CommonMark the stars of `**注意：**后文` open and close nothing, since punctuation is on one
side of them and a letter on the other: made for languages with spaces, that is wrong in Chinese.
"""

from __future__ import annotations

import re
import unicodedata

# A code span, which stays as it is, or text between marks; none ever backtracks far.
_SPAN = re.compile(
    r"(?<!`)(`++)[^`]++\1(?!`)"
    r"|(?<![*\\])\*\*(?![\s*])(?P<strong>(?:[^*\n`]|\*(?!\*)|`[^`\n]++`){1,500}?)(?<![\s*\\])\*\*(?!\*)"
    r"|(?<![*\\])\*(?![\s*])(?P<em>(?:[^*\n`]|`[^`\n]++`){1,500}?)(?<![\s*\\])\*(?!\*)"
    r"|(?<![~\\])~~(?![\s~])(?P<del>(?:[^~\n`]|`[^`\n]++`){1,500}?)(?<![\s~\\])~~(?!~)"
)
_FENCE = re.compile(r" {0,3}(```|~~~)")
_CODE = "(pre|script|style|textarea)\\b"
_CODE_START = re.compile(rf"\s*(?:<(?!{_CODE})[^<>]*>\s*)*+<{_CODE}", re.IGNORECASE)


def with_emphasis(text: str) -> str:
    """Return Markdown with tags in place of the stars that CommonMark would leave.

    >>> with_emphasis("**注意：**后文，**强调**。 `**a：**b`")
    '<strong>注意：</strong>后文，**强调**。 `**a：**b`'
    """
    if "*" not in text and "~~" not in text:
        return text
    lines = text.split("\n")
    fence = end = ""
    for number, line in enumerate(lines):
        if fence:
            if line.lstrip().startswith(fence):
                fence = ""
        elif end:
            if end in line.lower():
                end = ""
        elif match := _FENCE.match(line):
            fence = match[1]
        elif found := _CODE_START.match(line):
            closing = f"</{found[2].lower()}"
            end = "" if closing in line.lower() else closing
        elif ("*" in line or "~~" in line) and not line.startswith(("    ", "\t")):
            lines[number] = _SPAN.sub(_marked, line)
    return "\n".join(lines)


def _marked(match: re.Match[str]) -> str:
    name = match.lastgroup
    if name is None:
        return match[0]
    inner, line = match[name], match.string
    before = line[match.start() - 1 : match.start()]
    after = line[match.end() : match.end() + 1]
    opens = not _is_punctuation(inner[0]) or not _is_letter(before)
    closes = not _is_punctuation(inner[-1]) or not _is_letter(after)
    if opens and closes:
        return match[0]
    # A single star between letters of the alphabet may be a multiplication.
    if name == "em" and (inner if closes else inner[::-1])[0].isascii():
        return match[0]
    return f"<{name}>{inner}</{name}>"


def _is_punctuation(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "PS"


def _is_letter(letter: str) -> bool:
    return bool(letter) and not letter.isspace() and not _is_punctuation(letter)
