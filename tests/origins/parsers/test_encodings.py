"""Text in whatever encoding."""

import re

import pytest
from conftest import Site
from hypothesis import given
from hypothesis import strategies as st
from one_post import only

from aggregator.model.errors import UnusableError
from aggregator.origins.parsers.encodings import decode, decode_declared

ENCODED = {
    "shift_jis": "これは古い文字コードで書かれた文章です。東京の株式市場は今日も静かでした。",
    "euc_jp": "これは古い文字コードで書かれた文章です。東京の株式市場は今日も静かでした。",
    "euc_kr": "이것은 오래된 문자 코드로 쓴 글입니다. 서울의 주식 시장은 오늘도 조용했습니다.",
    "koi8_r": "Это текст, который записан в старой кодировке. Сегодня на бирже было тихо.",
    "latin_1": "Die Börse in München schloß höher; für Anleger war nichts zu gewinnen.",
    "cp1252": "Où est passée la fête ? « Déjà près de la forêt », répondit Noël — à Genève.",
    "big5": "這是用舊編碼寫的文章，今天的股市沒有什麼變化，投資人都在觀望。",
    "gbk": "短讯：沪指收涨，深市成交放量。",
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_older_encodings(site: Site, encoding: str) -> None:
    text = ENCODED[encoding]
    site.post("2022-01-27-x.md", f"---\ntitle: {text}\n---\n<p>{text}</p>\n".encode(encoding))
    entry = only(site)
    assert entry.title == text
    assert entry.content[0].value == f"<p>{text}</p>"


CHINESE = "中国的市场，这是用旧编码写的正文，有一些常用的字。"
DECLARED = re.compile(rb"charset=([\w-]+)")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030", "gbk"])
def test_chinese_without_a_declaration(encoding: str) -> None:
    assert decode(CHINESE.encode(encoding)) == CHINESE


@given(st.text(max_size=60))
def test_what_is_utf_8_is_read_as_such(text: str) -> None:
    data = text.encode("utf-8", "ignore")
    assert decode(data) == data.decode("utf-8").removeprefix("\ufeff")


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(UnusableError, match="not text in any known encoding"):
        decode(b"\xff\xfe\xfd" + b"\0" * 100 + bytes(range(128, 256)))


@pytest.mark.parametrize(
    ("data", "header", "known"),
    [
        (CHINESE.encode("gbk"), "text/html; charset=gb2312", ".*"),
        (CHINESE.encode("gbk"), 'text/html; Charset = "GBK"', ".*"),
        (CHINESE.encode("utf-16"), "text/html; charset=gbk", ".*"),
        (b"charset=gb2312 " + CHINESE.encode("gbk"), "", ".*"),
        (b"charset=gb2312 " + CHINESE.encode("gbk"), "; charset=no-such-codec", ".*"),
        (CHINESE.encode(), "text/html; charset=ascii", ".*"),
        (CHINESE.encode(), "text/html; charset=latin-1", "utf-8"),
    ],
)
def test_a_declaration_is_believed_if_it_is_known_and_fits(
    data: bytes, header: str, known: str
) -> None:
    found = decode_declared(data, header, DECLARED, re.compile(known))
    assert found.removeprefix("charset=gb2312 ") == CHINESE
