"""Which articles a feed shows."""

from conftest import Site, article, share_url


def test_newest_first_then_by_code_and_no_more_than_asked_for(site: Site) -> None:
    site.configure(lambda text: text + "  entries: 3\n  combined_entries: 4\n")
    for number in (3, 1, 5, 2, 4):
        code = f"NW20220127000000000{number}"
        day = 27 if number > 1 else 28
        site.post(
            f"x{number}.md", article(str(number), date=f"2022-01-{day}", share=share_url(code))
        )
    site.build()
    assert [entry.title for entry in site.entries()] == ["1", "5", "4", "3"]
    assert len(site.entries("sources/huaxiashibao.atom")) == 3
