"""Which addresses are allowed: URLs before a request, IP addresses after DNS.  Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import quote, urlsplit, urlunsplit

from aggregator.model.errors import FetchError

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

MAX_URL = 4096
# What `is_global` and `is_multicast` miss: addresses that embed another one, the metadata
# service of a cloud, site-local addresses.
_NOT_PUBLIC: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8", "100.64.0.0/10", "168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24",
        "198.18.0.0/15", "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
        "2001::/23", "2002::/16", "fc00::/7", "3fff::/20", "fe80::/10",
        "fec0::/10",
    )
)  # fmt: skip
# https://fetch.spec.whatwg.org/#port-blocking
_BAD_PORTS = frozenset({
    0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101,
    102, 103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427,
    465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990,
    993, 995, 1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667,
    6668, 6669, 6679, 6697, 10080,
})  # fmt: skip
# A URL of which nothing has to be quoted, lowered or removed.
_AS_WRITTEN = re.compile(
    r"https?://([a-z0-9.-]+)(?::([1-9][0-9]{0,4}))?/[\w/%:@!$&'()*+,;=.~-]*"
    r"(?:\?[\w/%:@!$&'()*+,;=.~?-]+)?",
    re.ASCII,
)
_MAX_PORT = 65535
_UNWANTED = re.compile(r"[\x00-\x20\x7f\\]")
_NUMERIC_LABEL = re.compile(r"(?:0x[0-9a-f]*|\d+)", re.IGNORECASE)
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?\.?")


def check_url(url: str) -> str:
    """Return the URL as it is requested: ASCII, without a fragment.

    Raises `FetchError`, with nothing sent, for anything but a plain http(s) URL.
    """
    # Most are requested as they are written: taking them apart costs as much as sending them.
    found = _AS_WRITTEN.fullmatch(url) if len(url) <= MAX_URL else None
    if found is not None and _is_site(found[1], found[2]):
        return url
    return _normalized(url)


def _normalized(url: str) -> str:
    if len(url) > MAX_URL:
        raise _refused(url[:100] + "…", f"a URL of more than {MAX_URL:,} characters")
    if _UNWANTED.search(url):
        raise _refused(url, "a URL with a space, a backslash or a control character")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise _refused(url, f"not a URL: {error}") from error
    if parts.scheme not in ("http", "https"):
        raise _refused(url, "not http or https")
    if "@" in parts.netloc:
        raise _refused(url, "a URL with a user name or password")
    if port in _BAD_PORTS:
        raise _refused(url, f"port {port} isn't a web port")
    host = _check_host(url, host, bracketed="[" in parts.netloc)
    netloc = host if port is None else f"{host}:{port}"
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=-._~?[]|{}\"^`<>")
    return urlunsplit((parts.scheme, netloc, path, quote(query, safe="/%:@!$&'()*+,;=-._~?"), ""))


@lru_cache(maxsize=1000)
def _is_site(host: str, port: str | None) -> bool:
    """Return whether URLs of a site may be requested, with the host as it is written."""
    if port is not None and (int(port) > _MAX_PORT or int(port) in _BAD_PORTS):
        return False
    try:
        return _check_host("", host, bracketed=False) == host
    except FetchError:
        return False


def is_plain(url: str) -> bool:
    """Return whether a URL passes all checks that need no DNS."""
    try:
        check_url(url)
    except FetchError:
        return False
    return True


def is_allowed(address: Address, networks: Iterable[Network]) -> bool:
    """Return whether an IP address is allowed: a public one, or one within `networks`."""
    if any(address.version == network.version and address in network for network in networks):
        return True
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        if address.ipv4_mapped is not None:
            return is_allowed(address.ipv4_mapped, networks)
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(
        address.version == network.version and address in network for network in _NOT_PUBLIC
    )


def _check_host(url: str, host: str, *, bracketed: bool) -> str:
    if bracketed:
        try:
            address = ip_address(host)
        except ValueError as error:
            raise _refused(url, "not an IPv6 address in the brackets") from error
        if isinstance(address, IPv6Address) and address.scope_id is not None:
            raise _refused(url, "an IPv6 address with a zone")
        return f"[{address}]"
    if unicodedata.normalize("NFKC", host) != host or "。" in host:
        raise _refused(url, "a host name with look-alike characters")
    if not host.isascii():
        import idna

        try:
            host = idna.encode(host).decode("ascii")
        except (idna.IDNAError, UnicodeError) as error:
            raise _refused(url, "not a host name") from error
    if len(host) > 253 or not _HOST.fullmatch(host) or ".." in host:
        raise _refused(url, "not a host name")
    if _NUMERIC_LABEL.fullmatch(host.rstrip(".").rpartition(".")[2]):
        # Every resolver takes such a host for an IPv4 address, in whatever spelling.
        try:
            IPv4Address(host)
        except ValueError as error:
            raise _refused(url, "an IP address in an unusual spelling") from error
    return host


def _refused(url: str, reason: str) -> FetchError:
    return FetchError(url, f"refused: {reason}", was_sent=False)
