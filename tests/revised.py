"""A site that has published an article and its correction."""

from conftest import Site, article, share_url


def revised_site(site: Site) -> dict[str, bytes]:
    """A site with a revised article; its feeds."""
    for number in range(40):
        code = f"NW2022012700000001{number:02d}"
        text = article(f"Titel {number}", f"<p>{number * 99}</p>" * 50, share=share_url(code))
        site.post(f"2022-01-27-{code}.md", text)
    site.build()
    path = site.posts / "2022-01-27-NW202201270000000107.md"
    path.write_text(path.read_text().replace("<p>693", "<p>neu", 1))
    site.build()
    entries = site.entries()
    assert [entry.title for entry in entries if entry.updated != entry.published] == ["Titel 7"]
    return site.feed_bytes()
