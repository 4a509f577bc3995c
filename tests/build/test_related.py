"""What an entry says of other entries that tell the same story."""

from one_feed import document, entry

from aggregator.build.related import AlsoReported, with_related
from aggregator.model.feeds import Related


def test_entries_say_what_was_found_for_them() -> None:
    other = Related("三", "https://a.example/3", "晚报")
    plain = document(entry(), entry(id="2"))
    found = with_related(plain, [AlsoReported(), AlsoReported((other,), 4)])
    assert [(one.related, one.more_related) for one in found.entries] == [((), 0), ((other,), 4)]
    assert with_related(plain, ()) is plain
