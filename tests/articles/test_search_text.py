"""What search makes of a text."""

from hypothesis import given
from hypothesis import strategies as st

from aggregator.articles.search_text import folded, phrase, searched, tokens

HTML, MARKDOWN = "text/html", "text/markdown"


def shown(raw: str, media_type: str = HTML) -> str:
    return searched("标题", raw, media_type, ["晨报"]).split("\ufdd0")[1]


def test_case_width_and_layout_make_no_difference() -> None:
    assert folded("ＧＤＰ　增长\n ５．２％，Straße") == "gdp增长5.2%,strasse"
    assert folded("a\u200bb\xadc") == "abc"


def test_a_space_between_words_counts_where_words_have_spaces() -> None:
    assert folded(" Interest \t Rate 利 率 ") == "interest rate利率"
    assert folded("ставка  ЦБ") == "ставка цб"
    assert "sand" not in folded("this and that")


def test_the_words_of_html_are_those_that_a_reader_sees() -> None:
    assert shown("<p>经<b>济</b></p><p>eco<em>no</em>my &amp; so</p>") == "经济economy&so"
    assert shown("<p>a</p><script>b</script><p style='display:none'>c</p>") == "a"
    assert shown("a < b <!-- c > d --> e") == shown("a &lt; b e")
    assert shown("<x-y>a</x-y><img alt='b'>") == "a"
    assert shown("*a* [b](https://c.example.org/)", MARKDOWN) == "a b"


def test_title_text_and_names_are_apart() -> None:
    text = searched("港", "口", HTML, ["晨", "报"])
    assert all(word in text for word in "港口晨报")
    assert "港口" not in text
    assert "晨报" not in text


@given(st.text(alphabet="ab é中，9 \U00020000", max_size=12))
def test_each_character_has_one_token(text: str) -> None:
    found = tokens(folded(text)).split()
    assert [token[0] for token in found] == list(folded(text).replace(" ", ""))


@given(st.text(alphabet="ab é中，9 \U00020000", max_size=12), st.data())
def test_a_part_of_a_text_is_found_by_its_tokens(text: str, data: st.DataObject) -> None:
    text = folded(text)
    start = data.draw(st.integers(0, len(text)))
    word = folded(text[start : data.draw(st.integers(start, len(text)))])
    wanted, is_beginning = phrase(word)
    there = tokens(text).split()

    def is_at(place: int) -> bool:
        part = there[place : place + len(wanted)]
        if is_beginning and part:
            part[-1] = part[-1][: len(wanted[-1])]
        return part == wanted

    assert any(map(is_at, range(len(there) + 1)))
