"""The shapes that a procedure's blocks take: numbered steps, warnings and notes, tables that scroll."""

from collections.abc import Sequence

from markdown_it.token import Token

from sop_server.rendering.outline import free

KINDS = {
    "note": "",
    "info": "",
    "tip": "tip",
    "important": "important",
    "warning": "warning",
    "caution": "warning",
    "danger": "warning",
    "attention": "warning",
}
_ALIGNMENT = {
    "text-align:left": "align-left",
    "text-align:center": "align-center",
    "text-align:right": "align-right",
}


def shape(tokens: Sequence[Token]) -> list[Token]:
    """Return `tokens` with steps, asides and tables shaped. Headings carry their anchors already."""
    _number_steps(tokens)
    _make_asides(tokens)
    return _wrap_tables(tokens)


def _number_steps(tokens: Sequence[Token]) -> None:
    lists = [at for at, token in enumerate(tokens) if token.type == "ordered_list_open" and token.level == 0]
    taken: dict[str, int] = {}
    section = "top"
    number, key, several = 0, "", len(lists) > 1
    for token in tokens:
        if token.type == "heading_open" and token.level == 0:
            section = str(token.attrs["id"]).removeprefix("s-")
        elif token.type == "ordered_list_open" and token.level == 0:
            token.attrJoin("class", "steps")
            number = int(token.attrs.get("start", 1))
            key = f"step-{free(section, taken)}" if several else "step"
        elif token.type == "list_item_open" and token.level == 1 and token.markup in {".", ")"}:
            token.attrSet("id", f"{key}-{number}")
            number += 1


def _make_asides(tokens: Sequence[Token]) -> None:
    opened: list[str | None] = []
    for at, token in enumerate(tokens):
        if token.type == "blockquote_open":
            kind = _kind(tokens[at + 1 : at + 3])
            opened.append(kind)
            if kind is not None:
                token.tag = "aside"
                token.attrs = {"class": f"note {kind}".strip(), "role": "note"}
        elif token.type == "blockquote_close" and opened.pop() is not None:
            token.tag = "aside"


def _kind(following: Sequence[Token]) -> str | None:
    """Return the class of the aside that begins with `following`, None for a plain quotation."""
    if [token.type for token in following] != ["paragraph_open", "inline"]:
        return None
    children = following[1].children or []
    if children and children[0].type == "text" and not children[0].content and len(children) > 1:
        children = children[1:]
    if len(children) > 1 and children[0].type == "strong_open" and children[1].type == "text":
        return KINDS.get(children[1].content.strip(" :.!").lower())
    if children and children[0].type == "text":
        label, closed, rest = children[0].content.partition("]")
        kind = KINDS.get(label[2:].lower()) if label.startswith("[!") and closed else None
        if kind is not None:
            _spell_out(following[1], label[2:].capitalize(), rest)
        return kind
    return None


def _spell_out(inline: Token, label: str, rest: str) -> None:
    children = inline.children or []
    tail = children[children.index(next(child for child in children if child.type == "text")) + 1 :]
    if tail and tail[0].type == "softbreak":
        tail = tail[1:]
    words = Token("text", "", 0)
    words.content = f"{label}:"
    after = Token("text", "", 0)
    after.content = f" {rest.lstrip()}"
    strong = (Token("strong_open", "strong", 1), words, Token("strong_close", "strong", -1))
    inline.children = [*strong, after, *tail]


def _wrap_tables(tokens: Sequence[Token]) -> list[Token]:
    wrapped: list[Token] = []
    count = 0
    for token in tokens:
        if token.type == "table_open":
            count += 1
            opening = Token("scroll_open", "div", 1, block=True)
            opening.attrs = {
                "class": "table-scroll",
                "tabindex": "0",
                "role": "region",
                "aria-label": f"Table {count}",
            }
            wrapped += [opening, token]
        elif token.type == "table_close":
            wrapped += [token, Token("scroll_close", "div", -1, block=True)]
        else:
            if token.type in {"th_open", "td_open"}:
                _align(token)
            wrapped.append(token)
    return wrapped


def _align(token: Token) -> None:
    # The policy of the pages allows no inline style.
    style = token.attrs.pop("style", None)
    if style in _ALIGNMENT:
        token.attrs["class"] = _ALIGNMENT[str(style)]
    if token.type == "th_open":
        token.attrs["scope"] = "col"
