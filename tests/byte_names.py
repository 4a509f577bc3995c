"""Names of files as a file system allows them, for hypothesis."""

from hypothesis import strategies as st

NAME_PIECES = [
    *(b"\\", b"x", b"u", b"e9", b"0085", b"0a", b" ", b"a"),
    *(b"\xe9", b"\xc3", b"\xc3\xa9", b"\xc2\x85", b"\n", b"\x1b[31m", b"\x7f"),
    *(b"\xe2\x80\xae", b"\xe2\x80\xa8", b"\xed\xa0\x80", "文".encode(), "𠀀".encode()),
]
byte_names = st.one_of(
    st.binary(min_size=1, max_size=20),
    st.lists(st.sampled_from(NAME_PIECES), min_size=1).map(b"".join),
).filter(lambda name: not set(b"/\0") & set(name))
