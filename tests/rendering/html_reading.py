"""Reads HTML back strictly: what is not balanced, not allowed or not safe fails."""

from html.parser import HTMLParser

VOID = frozenset({"br", "hr", "img", "input"})


class Reader(HTMLParser):
    """Collects every tag with its attributes and every text with the tags around it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[tuple[str, ...], str]] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag, f"</{tag}> closes another tag"

    def handle_data(self, data: str) -> None:
        self.texts.append((tuple(self._open), data))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(f"a declaration: {decl}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def close(self) -> None:
        super().close()
        assert self._open == [], "not everything is closed"


def read(html: str) -> Reader:
    """Return what `html` holds; it must be balanced."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def text_without(html: str, tag: str) -> str:
    """Return the text outside `tag`, without white space, which blocks add at will."""
    return "".join("".join(text.split()) for path, text in read(html).texts if tag not in path)


def assert_safe(html: str) -> None:
    """Fail on scripts, handlers, styles, unsafe addresses and ids that stand twice."""
    reader = read(html)
    ids = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in reader.tags:
        assert tag not in {"script", "style", "iframe", "object", "embed", "form", "svg", "math", "base", "meta"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert name != "style"
            if name in {"href", "src"}:
                scheme, colon, _ = value.partition(":")
                is_path = not colon or any(sign in scheme for sign in "/?#")
                assert is_path or scheme.lower() in {"http", "https", "mailto", "tel"}, value
