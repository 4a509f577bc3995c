"""Bodies without their content coding, within limits."""

import pytest
from fetching import answers, limited
from hostile_server import HostileServer, sends, whole

from aggregator.fetch import bodies


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "raw deflate"])
def test_content_codings(hostile: HostileServer, coding: str) -> None:
    import gzip
    import zlib

    import brotli

    from aggregator.model.packing import zstd

    text = "北京商报".encode() * 10_000
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(text),
        "deflate": zlib.compress(text),
        "raw deflate": raw.compress(text) + raw.flush(),
        "br": brotli.compress(text),
        "zstd": zstd.compress(text),
    }[coding]
    header = f"Content-Encoding: {coding.split()[-1]}"
    hostile.answers["/x"] = sends(whole(200, packed, "text/plain", header))
    hostile.answers["/cut"] = sends(whole(200, packed[:-6], "text/plain", header))
    base = f"http://127.0.0.2:{hostile.port}"
    with limited() as fetcher:
        found = answers(fetcher, f"{base}/x", f"{base}/cut")
    assert found[f"{base}/x"].body == text
    assert found[f"{base}/cut"].reason in ("compressed, but cut off", "compressed, but damaged")
    with limited(max_bytes=f"{len(text) - 1}B") as fetcher:
        assert "more than the limit" in answers(fetcher, f"{base}/x")[f"{base}/x"].reason


def test_a_body_as_it_was_sent() -> None:
    text = b"x" * 200_000
    for codings in ("", "identity", " Identity , identity"):
        assert bodies.decode(text, codings, 10) == text
    with pytest.raises(bodies.BodyError, match="more than once"):
        bodies.decode(text, "gzip, gzip", len(text))
    with pytest.raises(bodies.BodyError, match="'lzma', which was not requested"):
        bodies.decode(text, "lzma", len(text))
