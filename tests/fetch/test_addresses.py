"""Which URLs are requested, and which IP addresses are allowed."""

import re
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.fetch import addresses
from aggregator.fetch.addresses import MAX_URL, check_url, is_allowed, is_plain
from aggregator.model.errors import FetchError


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "2606:4700::1111", "1.1.1.1"],
)
def test_public_addresses_may_be_asked(address: str) -> None:
    assert is_allowed(ip_address(address), ())
    assert not is_allowed(ip_address("127.0.0.1"), (ip_network("127.0.0.2/32"),))


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "ff02::1"],
)
def test_other_addresses_only_where_they_are_allowed(address: str) -> None:
    assert not is_allowed(ip_address(address), ())
    assert is_allowed(ip_address(address), (ip_network(address),))


@given(st.text(max_size=40))
def test_a_url_that_passes_is_ascii_and_passes_as_it_is(text: str) -> None:
    url = f"http://a.example/{text}"
    if not is_plain(url):
        assert any(character <= " " or character in "\\\x7f" for character in text)
        return
    checked = check_url(url)
    assert checked.isascii()
    assert "#" not in checked
    assert check_url(checked) == checked


@pytest.mark.parametrize(
    ("url", "checked"),
    [
        ("http://a.example", "http://a.example/"),
        ("HTTP://A.example:8080/北?q=京#x", "http://a.example:8080/%E5%8C%97?q=%E4%BA%AC"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("https://[2606:4700:0::1111]/", "https://[2606:4700::1111]/"),
    ],
)
def test_a_url_as_it_is_requested(url: str, checked: str) -> None:
    assert check_url(url) == checked


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://a.example/", "not http or https"),
        ("http://u:p@a.example/", "user name"),
        ("http://a.example:22/", "port 22"),
        ("http://a.example/\t", "control character"),
        ("http://0x7f.1/", "unusual spelling"),
        ("http://１２７.0.0.1/", "look-alike"),
        ("http://[fe80::1%25lo]/", "zone"),
        ("http://a..example/", "not a host name"),
        ("http://a.example/" + "x" * MAX_URL, "more than 4,096 characters"),
    ],
)
def test_a_url_that_is_refused(url: str, reason: str) -> None:
    with pytest.raises(FetchError, match=reason) as raised:
        check_url(url)
    assert not raised.value.was_sent


@given(st.from_regex(addresses._AS_WRITTEN, fullmatch=True))
def test_a_url_that_is_requested_as_it_is_written_needs_no_normalizing(url: str) -> None:
    try:
        expected = addresses._normalized(url)
    except FetchError as error:
        with pytest.raises(FetchError, match=re.escape(error.reason)):
            check_url(url)
    else:
        assert check_url(url) == expected


@pytest.mark.parametrize(
    ("url", "is_site"),
    [
        ("http://127.0.0.1/x?y=1", True),
        ("https://a.example:8443/~a/(b);c='d'?e=%20&f", True),
        ("http://127.1/", False),
        ("http://a.example:25/", False),
        ("http://a.example:65536/", False),
        ("http://a..example/", False),
    ],
)
def test_the_port_and_the_host_of_such_a_url_are_checked(url: str, is_site: bool) -> None:
    assert addresses._AS_WRITTEN.fullmatch(url)
    assert is_plain(url) is is_site
