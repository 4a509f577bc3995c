"""Stars that CommonMark would leave beside punctuation."""

import pytest

from aggregator.articles.emphasis import with_emphasis


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**注意：**后文", "<strong>注意：</strong>后文"),
        ("前文**“引号”**后文", "前文<strong>“引号”</strong>后文"),
        (
            "**加粗：**后面，**“引号”**后面",
            "<strong>加粗：</strong>后面，<strong>“引号”</strong>后面",
        ),
        ("**UPDATE:**Fixed", "<strong>UPDATE:</strong>Fixed"),
        ("这是**`代码`**后文", "这是<strong>`代码`</strong>后文"),
        ("*（斜体）*后文", "<em>（斜体）</em>后文"),
        ("**两行的\n粗体：**后文", "<strong>两行的\n粗体：</strong>后文"),
        ("1. a\n\n    **注意：**后", "1. a\n\n    <strong>注意：</strong>后"),
        ("~~删除。~~后文", "<del>删除。</del>后文"),
    ],
)
def test_bold_beside_punctuation_is_bold(text: str, expected: str) -> None:
    assert with_emphasis(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "**强调**后文", "**a** b", "2 ** 3 ** 4", "a*(b)*c", "* a", "~~a~~b", "*a*b",
        "[**becoming\na sponsor**](http://a.example/) or [**a\npatron**](http://b.example/)",
        "- a\n\n  ```\n  **a：**b\n  ```", "1. a\n\n    ```c\n    **a：**b\n    ```",
        "a\n\n    **a：**b", "1. a\n\n        **a：**b", "```\na\n\n**a：**b\n```",
        "- **a：\n- b：**c", "a **b\n\nc：**d",
        r"\**a：**b", "`**a：**b`", "    **a：**b",
        "```\n**a：**b\n```\n", "<pre>\n**a：**b\n</pre>", "***", "**a：", "** a：**b",
    ],
)  # fmt: skip
def test_the_rest_is_left_to_the_renderer(text: str) -> None:
    assert with_emphasis(text) == text


def test_bold_after_a_fence_is_bold_again() -> None:
    assert with_emphasis("~~~\nx\n~~~\n**a：**b").endswith("<strong>a：</strong>b")
