"""The plain values of config.yaml: durations, sizes, addresses, patterns, templates.

Each type reads what a user writes, and says in plain words what is wrong with it.
"""

from __future__ import annotations

import datetime
import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from string import Formatter
from typing import Annotated
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
)

from aggregator.config import permalinks
from aggregator.config.paths import STORAGES
from aggregator.model.formats import FORMATS

Network = IPv4Network | IPv6Network


class Section(BaseModel):
    """A section of config.yaml."""

    # Built with the whole, not each on its own: that takes half the time.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMG]?)i?B", re.IGNORECASE)
_BYTES = {"": 1, "K": 1000, "M": 1000**2, "G": 1000**3}
_RESERVED = frozenset(
    {"example", "test", "invalid", "localhost", "example.com", "example.net", "example.org"}
)
_NAME = re.compile(r"(?=.{1,60}\Z)[a-z0-9]+(?:-[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]*,([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,221}")
_PREFIX = re.compile(r"[A-Za-z0-9._-]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")


def _language(value: str) -> str:
    if _LANGUAGE.fullmatch(value) is None:
        raise ValueError("write a language like zh-CN or en (BCP 47)")
    return value


def _duration(value: object) -> object:
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError("write a duration like 30s, 5m or 48h")
        try:
            return datetime.timedelta(seconds=float(match[1]) * _SECONDS[match[2]])
        except OverflowError as error:
            raise ValueError("is too long") from error
    return value


def _size(value: object) -> object:
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip())
        if match is None:
            raise ValueError("write a size like 500kB or 5MB")
        try:
            return int(float(match[1]) * _BYTES[match[2].upper()])
        except OverflowError as error:
            raise ValueError("is too large") from error
    return value


def _positive(value: datetime.timedelta) -> datetime.timedelta:
    if value <= datetime.timedelta(0):
        raise ValueError("must be longer than 0 s")
    return value


def _pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return value


def _coded_pattern(value: str) -> str:
    if "code" not in re.compile(_pattern(value)).groupindex:
        raise ValueError("needs a group named code: (?P<code>…)")
    return value


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("no such time zone; write a name like Asia/Shanghai") from error
    return value


def _path(value: str) -> str:
    if not value or "\0" in value:
        raise ValueError("must be a path")
    return value


def _feeds_place(value: str) -> str:
    """Check a folder, or the URL of a place in object storage, which is returned without a `/`."""
    scheme, _, rest = value.partition(":")
    if "://" not in value and not value.startswith(tuple(f"{name}:" for name in STORAGES)):
        return _path(value)
    if scheme not in STORAGES or not rest.startswith("//"):
        *most, last = (f"{name}://" for name in STORAGES)
        raise ValueError(f"must be a folder, or start with {', '.join(most)} or {last}")
    if "@" in value:
        raise ValueError("must have no keys in it: they come from the environment")
    bucket, *prefix = rest[2:].rstrip("/").split("/")
    if not _BUCKET.fullmatch(bucket):
        raise ValueError(f"must name a bucket: {scheme}://BUCKET/PREFIX")
    if any(not _PREFIX.fullmatch(part) or part in (".", "..") for part in prefix):
        raise ValueError(
            "must have a prefix of a to z, A to Z, digits and . _ - between single slashes, "
            "without . and .."
        )
    return value.rstrip("/")


def _feed_name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("must consist of a to z, digits and single hyphens, up to 60 characters")
    return value


def _title(value: str) -> str:
    if not value.strip():
        raise ValueError("must not be empty")
    return value


def web_url(value: str) -> str:
    """Return a URL as it is.  Raises `ValueError` unless it is http(s) with a host."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a full URL that starts with http:// or https://")
    _ = parts.port  # raises ValueError as well
    if re.search(r"[\s\x00-\x1f\x7f\\]", value):
        raise ValueError("must not contain spaces, backslashes or control characters")
    return value


def _folder_url(value: str) -> str:
    value = web_url(value)
    return value if value.endswith("/") else value + "/"


def _tag(value: str) -> str:
    """Check a tag (RFC 4151 §2.1): a domain, and a date on which its owner had it."""
    match = _TAG.fullmatch(value)
    if match is None:
        raise ValueError("must be a domain and a year in which you owned it, like example.org,2021")
    try:
        date = datetime.date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError as error:
        raise ValueError(f"there is no such date as {value.partition(',')[2]}") from error
    # In some zone it is tomorrow already.
    if date > datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1):
        raise ValueError(f"{value.partition(',')[2]} is in the future: write a year that has begun")
    return value


def is_reserved(tag: str) -> bool:
    """Return whether the domain of a tag is reserved for examples (RFC 2606)."""
    domain = tag.partition(",")[0].rpartition("@")[2].lower().rstrip(".")
    names = domain.split(".")
    return names[-1] in _RESERVED or ".".join(names[-2:]) in _RESERVED


def check_jmespath(expression: str | None, key: str) -> None:
    """Raise `ValueError` for an expression that would fail at every poll."""
    if expression is None:
        return
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{key} is not a JMESPath expression: {reason}") from error


def _share_template(value: str) -> str:
    """Check the template of a URL, which may use the groups of the share pattern."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(value) if name is not None]
    except ValueError as error:
        raise ValueError(f"not a URL template: {error}") from error
    if any(not name.isidentifier() for name in names):
        raise ValueError("may use {url}, {origin} and the groups of match: only")
    return value


def _share_of_code(value: str) -> str:
    if set(re.findall(r"\{([^}]*)\}", _share_template(value))) - {"origin", "code"}:
        raise ValueError("may use {origin} and {code} only")
    return value


_OWN_HEADERS = frozenset({
    "host", "connection", "content-length", "transfer-encoding", "accept-encoding", "range",
    "te", "upgrade", "user-agent", "expect", "keep-alive", "trailer",
})  # fmt: skip


def _header_text(value: str) -> str:
    if not value.isascii() or not value.isprintable() or not value.strip():
        raise ValueError("must be printable ASCII text")
    return value


def _header_name(value: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", value):
        raise ValueError("must be the name of a header")
    if value.lower() in _OWN_HEADERS or value.lower().startswith(("if-", "proxy-")):
        raise ValueError("is a header that the program sets itself")
    return value


def _proxy(value: str) -> str:
    value = web_url(value)
    parts = urlsplit(value)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("must be http:// or https://, a host and a port")
    return value


def _format_name(value: str) -> str:
    if value not in FORMATS:
        *most, last = map(repr, FORMATS)
        raise ValueError(f"must be {', '.join(most)} or {last}")
    return value


def _networks(value: object) -> bool | tuple[Network, ...]:
    if isinstance(value, bool):
        return value
    if str(value).casefold() in ("true", "false"):
        return str(value).casefold() == "true"
    if not isinstance(value, list | tuple):
        raise ValueError("must be true, false, or a list of networks such as [10.1.0.0/16]")
    return tuple(_network(item) for item in value)


def _network(value: object) -> Network:
    try:
        return ip_network(str(value))
    except ValueError as error:
        raise ValueError(f"{str(value)!r} must be an IP network such as 10.1.0.0/16") from error


Duration = Annotated[datetime.timedelta, BeforeValidator(_duration)]
Interval = Annotated[datetime.timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
ByteSize = Annotated[int, BeforeValidator(_size), Field(gt=0)]
Pattern = Annotated[str, AfterValidator(_pattern)]
CodedPattern = Annotated[str, AfterValidator(_coded_pattern)]
Networks = Annotated[bool | tuple[Network, ...], PlainValidator(_networks)]
FeedName = Annotated[str, AfterValidator(_feed_name)]
FormatName = Annotated[str, AfterValidator(_format_name)]
SourceKey = Annotated[str, Field(min_length=1, max_length=300)]
FilterText = Annotated[str, Field(min_length=1)]
FeedsPlace = Annotated[str, AfterValidator(_feeds_place)]
PathText = Annotated[str, AfterValidator(_path)]
WebUrl = Annotated[str, AfterValidator(web_url)]
TimeZone = Annotated[str, AfterValidator(_timezone)]
FolderUrl = Annotated[str, AfterValidator(_folder_url)]
Title = Annotated[str, AfterValidator(_title)]
Tag = Annotated[str, AfterValidator(_tag)]
ShareTemplate = Annotated[str, AfterValidator(_share_template)]
ShareOfCode = Annotated[str, AfterValidator(_share_of_code)]
HeaderName = Annotated[str, AfterValidator(_header_name)]
ProxyUrl = Annotated[str, AfterValidator(_proxy)]
HeaderText = Annotated[str, AfterValidator(_header_text)]
Permalink = Annotated[str, AfterValidator(permalinks.check)]
Language = Annotated[str, AfterValidator(_language)]
