"""Files in content codings."""

from conftest import Site, article
from hypothesis import given
from hypothesis import strategies as st

from aggregator.publish.compression import compressed, with_codings


def test_compressed_files_hold_the_same_and_go_with_them(site: Site) -> None:
    import gzip

    import brotli

    site.configure(lambda text: text + "  compress: [gzip, br]\n")
    site.post("1.md", article("eins"))
    site.build()
    for path in (site.feeds / "all.atom", site.feeds / "sources" / "huaxiashibao.atom"):
        data = path.read_bytes()
        assert gzip.decompress(path.with_name(path.name + ".gz").read_bytes()) == data
        assert brotli.decompress(path.with_name(path.name + ".br").read_bytes()) == data
    site.configure(lambda text: text.replace("  compress: [gzip, br]\n", ""))
    site.post("2.md", article("zwei", date="2022-02-01"))
    site.build()
    assert not [path for path in site.feeds.rglob("*") if path.suffix in (".gz", ".br")]


@given(st.binary(max_size=300))
def test_the_same_bytes_are_packed_to_the_same_bytes(data: bytes) -> None:
    import gzip

    import brotli

    for coding, unpack in (("gzip", gzip.decompress), ("br", brotli.decompress)):
        packed = compressed(data, coding)
        assert packed == compressed(data, coding)
        assert unpack(packed) == data


def test_the_paths_of_files_and_of_what_is_packed() -> None:
    assert with_codings(["a", "b"], ["br", "gzip"]) == ["a", "a.br", "a.gz", "b", "b.br", "b.gz"]
    assert with_codings(["a"], []) == ["a"]
