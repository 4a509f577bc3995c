"""What check says of a site."""

from conftest import Site, article


def test_check_counts_posts_and_is_fine_only_if_nothing_is_wrong(site: Site) -> None:
    site.configure(lambda text: text.replace("finews.example.org,2021", "mysite.cn,2021"))
    empty = site.run("check")
    assert empty.code == 0
    assert "no post matches" in empty.err
    assert ": OK" not in empty.out
    for number in range(3):
        site.post(f"{number}.md", article())
    site.post("image.png", b"x")
    result = site.run("check")
    assert (result.code, result.err) == (0, "")
    assert f"posts: 3 posts match {site.posts}/*.md" in result.out
    assert site.run("check", "--json").json["counts"] == [3]
    site.posts.rename(site.root / "away")
    gone = site.run("check")
    assert gone.code == 1
    assert "no such folder" in gone.err
    assert ": OK" not in gone.out
