"""An article that a search finds."""

from merging import NOW

from aggregator.model.articles import Article

ARTICLE = Article(
    code="NW202201272264567295",
    source="chenbao",
    source_name="晨报",
    first_seen=NOW,
    first_poll=1,
    published=NOW,
    updated=None,
    revision=1,
    version=1,
    title="港口",
    raw_hash=b"",
    body_id=1,
    media_type="text/html",
    link=None,
    share_url="https://news.example.org/1",
    categories=(),
    is_full=True,
    removed=False,
)
