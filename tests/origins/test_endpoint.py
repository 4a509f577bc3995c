"""What lists and upstream feeds have in common."""

import datetime

from configured import settings_with

from aggregator.articles import identity
from aggregator.model.articles import Copy
from aggregator.model.errors import UnusableError
from aggregator.origins.copies import make_copy
from aggregator.origins.endpoint import EndpointOrigin
from aggregator.origins.from_settings import identity_rules
from aggregator.origins.parsers.readers import Readers

URL = "http://a.example/feed"
NOW = datetime.datetime(2022, 1, 28, 12, tzinfo=datetime.UTC)


def origin(codes: identity.Rules | None = None, **feed: object) -> EndpointOrigin:
    settings = settings_with(subscriptions=[{"url": URL, **feed}], schedule={"subscriptions": "7m"})
    section = settings.subscriptions[0]
    return EndpointOrigin(section, settings, codes or identity_rules(settings), Readers())


def test_one_url_and_how_often_it_is_requested() -> None:
    found = origin(robots=True)
    assert found.named_urls() == [URL]
    assert (found.accepts(URL), found.accepts(URL + "x")) == (True, False)
    assert found.pace(URL).every == datetime.timedelta(minutes=7)
    assert (found.obeys_robots(URL), origin().obeys_robots(URL)) == (True, False)
    assert not found.is_recent(URL, NOW, NOW)


def test_the_rules_are_those_that_reading_depends_on() -> None:
    class Newer(EndpointOrigin):
        version = EndpointOrigin.version + 1

    one = origin()
    assert origin().rules == one.rules
    assert origin(source="x").rules != one.rules
    assert origin(identity.make_rules("x", [], [], [])).rules != one.rules
    settings = settings_with(subscriptions=[{"url": URL}])
    newer = Newer(settings.subscriptions[0], settings, one.codes, one.readers)
    assert newer.rules != one.rules


def test_one_bad_item_stops_no_other_and_the_first_copy_at_a_place_counts() -> None:
    found = origin()

    def make(item: str) -> tuple[Copy, str]:
        if item == "refused":
            raise UnusableError("it is bad")
        if item == "defect":
            raise KeyError("x")
        place, _, date = item.partition(" ")
        return make_copy(found.name, place, f"url/{place}", item, found.zone, NOW), date

    items = ["a 2022-01-27", "refused", "b 昨天", "defect", "a soon", "c"]
    copies, problems = found.collect(((f"item {item}", item) for item in items), make)
    assert [copy.location for copy in copies] == ["a", "b", "c"]
    assert copies[0].title_guess == "a 2022-01-27"
    assert {problem.location for problem in problems} == {URL}
    reasons = [problem.reason for problem in problems]
    assert reasons[:2] == ["item refused: it is bad", "item defect: cannot be read (KeyError: 'x')"]
    assert "昨天" in reasons[2]
    assert reasons[2].endswith(", and 1 more")
