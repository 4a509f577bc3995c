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
_CODE_SPAN = re.compile(r"(?<!`)(`++)[^`]++\1(?!`)")
# Other marks between a letter and punctuation; a single star only beside that of Chinese.
_OTHER_MARK = re.compile(
    r"\*(?!\*)(?<=[^\x00-\x7f\w\s*]\*)(?=[^\W_])|\*(?!\*)(?<=[^\W_]\*)(?=[^\x00-\x7f\w\s])|"
    r"~~(?<=[^\w\s~]~~)(?=[^\W_])|~~(?<=[^\W_]~~)(?=[^\w\s~])"
)
_FENCE = re.compile(r" {0,3}(```|~~~)")
_CODE = "(pre|script|style|textarea)\\b"
_CODE_START = re.compile(rf"\s*(?:<(?!{_CODE})[^<>]*>\s*)*+<{_CODE}", re.IGNORECASE)


def with_emphasis(text: str) -> str:
    """Return Markdown with tags in place of the stars that CommonMark would leave.

    >>> with_emphasis("**注意：**后文，**强调**。 `**a：**b`")
    '<strong>注意：</strong>后文，**强调**。 `**a：**b`'
    """
    if not _is_suspect(text):
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
        elif ("```" in line or "~~~" in line) and (match := _FENCE.match(line)):
            fence = match[1]
        elif "<" in line and (found := _CODE_START.match(line)):
            closing = f"</{found[2].lower()}"
            end = "" if closing in line.lower() else closing
        elif (
            ("*" in line or "~~" in line)
            and _is_suspect(line)
            and not line.startswith(("    ", "\t"))
        ):
            lines[number] = _SPAN.sub(_marked, line)
    return "\n".join(lines)


def _is_suspect(text: str) -> bool:
    """Return whether a mark may be between a letter and punctuation: in few texts one is.

    Reading all lines takes much longer.
    """
    end = 0
    while (place := text.find("**", end)) >= 0:
        end = text.find("\n", place)
        end = len(text) if end < 0 else end
        line = text[text.rfind("\n", 0, place) + 1 : end]
        if "`" in line:
            line = _CODE_SPAN.sub("`", line)
        before, *parts = line.split("**")
        for inner, after in zip(parts[::2], parts[1::2], strict=False):
            if inner and not _is_plain(before[-1:], inner, after[:1]):
                return True
            before = after
    return ("*" in text or "~~" in text) and _OTHER_MARK.search(text) is not None


def _is_plain(before: str, inner: str, after: str) -> bool:
    """Return whether CommonMark sees the marks around a text between two letters."""
    return not (
        (_is_letter(before) and _is_punctuation(inner[0]))
        or (_is_letter(after) and _is_punctuation(inner[-1]))
    )


def _marked(match: re.Match[str]) -> str:
    name = match.lastgroup
    if name is None:
        return match[0]
    inner, line = match[name], match.string
    before = line[match.start() - 1 : match.start()]
    after = line[match.end() : match.end() + 1]
    if _is_plain(before, inner, after):
        return match[0]
    # A single star between letters of the alphabet may be a multiplication.
    if name == "em" and (inner[0] + inner[-1]).isascii():
        return match[0]
    return f"<{name}>{inner}</{name}>"


def _is_punctuation(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "PS"


def _is_letter(letter: str) -> bool:
    return bool(letter) and not letter.isspace() and not _is_punctuation(letter)
