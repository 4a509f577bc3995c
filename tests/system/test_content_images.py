"""`content: images` in a site: pictures of some hosts are loaded another way, and nothing else."""

import json

from conftest import Site, article


def test_rules_for_pictures_change_neither_dates_nor_revisions(site: Site) -> None:
    site.configure(lambda text: text + "  formats: [atom, json]\n")
    site.post("1.md", article("eins", '<p>Wort</p><img src="https://img.example/a.jpg">'))
    site.build()
    (before,) = site.entries()
    plain = (site.feeds / "all.atom").read_bytes()
    rules = (
        "content:\n  images:\n"
        "    - {hosts: ['*.example'], referrerpolicy: no-referrer, proxy: 'https://p.test/?u={url}'}\n"
    )
    site.configure(lambda text: rules + text)
    site.build()
    (entry,) = site.entries()
    proxied = "https://p.test/?u=https%3A%2F%2Fimg.example%2Fa.jpg"
    assert f'<img src="{proxied}" referrerpolicy="no-referrer">' in entry.content[0].value
    assert entry.media_thumbnail == [{"url": proxied}]
    (item,) = json.loads((site.feeds / "all.json").read_bytes())["items"]
    assert item["image"] == proxied
    assert (entry.id, entry.updated, entry.summary) == (before.id, before.updated, before.summary)
    site.configure(lambda text: text.replace(rules, ""))
    site.build()
    assert (site.feeds / "all.atom").read_bytes() == plain


def test_a_wrong_rule_is_told_with_its_line(site: Site) -> None:
    site.configure(lambda text: "content:\n  images:\n    proxy: https://p.test/\n" + text)
    done = site.run("check")
    assert done.code == 2
    assert "config.yaml:2" in done.err
    assert "{url}" in done.err
