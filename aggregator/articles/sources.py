"""The name of an outlet → the key of its source.  Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

# What the tags of posts have after the name of an outlet.
NEWS = "新闻"
_UNWANTED = re.compile(r"[^a-z0-9]+")
MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class SourceKeys:
    """The sources that are known by name; those of the configuration go first."""

    configured: Mapping[str, str] = field(default_factory=dict)
    learnt: Mapping[str, str] = field(default_factory=dict)

    def key_of(self, name: str) -> str:
        """Return the key of the source called `name`: a known one, else made from its sound.

        北京商报 is `beijingshangbao`, as in the site's own posts; empty for no name.
        """
        name = normal_name(name)
        return self.configured.get(name) or self.learnt.get(name) or slug_of_name(name)


def normal_name(name: str) -> str:
    """Return a name as it is compared: on one line, without the trailing 新闻 of tags."""
    name = " ".join(unicodedata.normalize("NFKC", name).split())[:MAX_NAME]
    return name.removesuffix(NEWS) or name


def slug_of_name(name: str) -> str:
    """Return a key from the sound of a name: pinyin for Chinese, plain letters for others.

    >>> slug_of_name("Börsen-Zeitung")
    'borsenzeitung'
    """
    if name.isascii():
        return _UNWANTED.sub("", name.lower())
    from pypinyin import lazy_pinyin

    sound = "".join(lazy_pinyin(name))
    plain = unicodedata.normalize("NFKD", sound).encode("ascii", "ignore").decode().lower()
    return _UNWANTED.sub("", plain) or name
