"""What the errors of an object storage mean, without what is secret in them."""

from __future__ import annotations

import builtins

import pytest
from storage_server import StorageServer

from aggregator.model.errors import PublishError
from aggregator.publish import storage_client
from aggregator.publish.storage_client import StorageClient, plain


def failure(url: str) -> str:
    with pytest.raises(PublishError) as caught:
        StorageClient(url, 5).list(60)
    text = str(caught.value)
    assert text.startswith(f"{url}: ")
    assert "of-the-test" not in text
    assert "\n" not in text
    assert len(text) < 400
    return text


def test_a_bucket_that_does_not_exist(storage_server: StorageServer) -> None:
    text = failure("s3://nothing-there/feeds")
    assert f"{storage_server.url} has no such bucket: make it, or correct feeds: directory" in text


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        ("401 Unauthorized", "refused access (Planned): check the access keys and their rights"),
        ("403 Forbidden", "refused access (Planned): check the access keys and their rights"),
        ("301 Elsewhere", "its region is another one: set AWS_REGION"),
        ("507 Full", "the storage is full"),
        ("503 Slow", "answered 503 Planned; try again later"),
        ("418 Teapot", "answered 418 Planned"),
    ],
)
def test_what_a_server_answers(storage_server: StorageServer, status: str, meaning: str) -> None:
    bucket = storage_server.new_bucket()
    storage_server.before = lambda method, path: status
    assert meaning in failure(f"s3://{bucket.name}/feeds")


def test_a_server_that_cannot_be_reached(
    storage_server: StorageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    text = failure("s3://bucket/feeds")
    assert "http://127.0.0.1:9 cannot be reached: check the network and the endpoint" in text


def test_an_endpoint_with_http_is_meant_so(
    storage_server: StorageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = storage_server.new_bucket()
    for name in ("AWS_ENDPOINT", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        monkeypatch.setenv(name, storage_server.url)
        assert StorageClient(f"s3://{bucket.name}", 5).list(60) == {}
        monkeypatch.delenv(name)


def test_access_keys_that_are_missing(
    storage_server: StorageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = Exception("Error performing PUT http://169.254.169.254/latest/api/token in 1 s")
    text = storage_client.reason_of(error)
    assert "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in text
    assert "AZURE_STORAGE_ACCOUNT_NAME" in failure("az://container/feeds")


def test_an_object_whose_name_cannot_be_used(storage_server: StorageServer) -> None:
    import urllib.request

    bucket = storage_server.new_bucket()
    url = f"{storage_server.url}/{bucket.name}/feeds//x"
    urllib.request.urlopen(urllib.request.Request(url, method="PUT", data=b"x")).close()
    assert 'Path "feeds//x" contained empty path segment' in failure(f"s3://{bucket.name}/feeds")


def test_too_many_objects(storage_server: StorageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = storage_server.new_bucket()
    for number in range(3):
        bucket.write(f"feeds/{number}.atom", b"")
    monkeypatch.setattr(storage_client, "MAX_OBJECTS", 2)
    assert "give the feeds a prefix of their own" in failure(f"s3://{bucket.name}/feeds")


def test_a_fallback_shows_no_query_and_no_response() -> None:
    error = Exception("odd: https://a.example/b?sig=secret <Error>AKIA</Error>\n\nDebug source: x")
    assert storage_client.reason_of(error) == "odd: https://a.example/b"


def test_etags_are_compared_without_quotes() -> None:
    assert [plain(etag) for etag in ('"a"', "a", 'W/"a"', None)] == ["a", "a", "a", ""]


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *arguments: object, **named: object) -> object:
        if name.startswith("obstore"):
            raise ModuleNotFoundError(name)
        return real(name, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(PublishError, match=r"needs obstore: run pip install .*\[cluster\]"):
        StorageClient("s3://bucket", 5)


@pytest.mark.parametrize("endpoint", ["not a url", "http://", "storage:9000", "http://a b/"])
def test_an_endpoint_that_is_no_url_is_named(
    monkeypatch: pytest.MonkeyPatch, endpoint: str
) -> None:
    pytest.importorskip("obstore")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(PublishError, match="AWS_ENDPOINT_URL is no URL of a server"):
        StorageClient("s3://bucket/feeds", 1.0)
