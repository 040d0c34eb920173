import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sop_server.domain.content import MAX_BYTES, UnreadableContentError, content_hash, normalise


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"a\r\nb\rc", "a\nb\nc\n"),
        (b"\xef\xbb\xbfa\n", "a\n"),
        ("\ufeff\ufeffa", "a\n"),
        (b"a\n\n\n", "a\n"),
        (b"", "\n"),
        ("tab\tstays  \n", "tab\tstays  \n"),
    ],
)
def test_content_has_one_form(raw: bytes | str, text: str) -> None:
    assert normalise(raw) == text


def test_the_hash_is_of_the_bytes() -> None:
    text = normalise("é\r\n")
    assert content_hash(text) == hashlib.sha256("é\n".encode()).hexdigest()


def test_what_is_not_utf_8_names_byte_and_line() -> None:
    with pytest.raises(UnreadableContentError, match=r"byte 5 \(line 2\) is 0xFF") as caught:
        normalise(b"abc\nx\xff"[:4] + b"x\xff")
    assert caught.value.line == 2
    assert caught.value.fields["content"]


def test_utf_16_is_recognised() -> None:
    with pytest.raises(UnreadableContentError, match="UTF-16"):
        normalise("a".encode("utf-16"))


@pytest.mark.parametrize("control", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\x0c"])
def test_control_characters_are_refused_with_their_line(control: str) -> None:
    with pytest.raises(UnreadableContentError, match=f"Line 3 .*U\\+{ord(control):04X}") as caught:
        normalise(f"a\nb\nc{control}")
    assert caught.value.line == 3


def test_half_a_character_is_refused() -> None:
    with pytest.raises(UnreadableContentError, match=r"Line 2 .*U\+D800"):
        normalise("a\n\ud800")


def test_the_limit_is_told_with_the_size() -> None:
    assert len(normalise(b"a" * (MAX_BYTES - 1))) == MAX_BYTES
    with pytest.raises(UnreadableContentError, match="1,048,577 bytes and the limit is 1,048,576"):
        normalise(b"a" * MAX_BYTES)
    with pytest.raises(UnreadableContentError, match="split the procedure"):
        normalise(b"\n" * (3 * MAX_BYTES))


@given(st.text() | st.binary())
def test_the_form_is_reached_in_one_step(raw: str | bytes) -> None:
    try:
        text = normalise(raw)
    except UnreadableContentError:
        return
    assert normalise(text) == text
    assert normalise(text.encode()) == text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\r" not in text
