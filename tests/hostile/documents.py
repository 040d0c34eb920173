"""Hostile documents, as many as wanted: the same number under the same seed is the same document."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.hostile.handlers import HANDLERS
from tests.hostile.markup import handler, markup
from tests.hostile.pieces import CHARACTERS, CLOBBERING, PAYLOADS, address, disguised

LANGUAGES = "html xml js javascript json yaml bash console http diff sql python hcl powershell unknown".split()
WORDS = (
    "open the order and refund up to 500 USD as SOP-0007 says see http://example.com/a or mail a@example.com".split()
)

Maker = Callable[[Random], str]


@dataclass(frozen=True, slots=True)
class Document:
    """A file as somebody might bring it; `changed` is its body after somebody edited it."""

    front: str
    body: str
    changed: str

    @property
    def content(self) -> str:
        """The whole file."""
        return f"---\n{self.front}---\n\n{self.body}"


def document(seed: int, number: int) -> Document:
    """Return one document. Every handler stands in some document of each run of a few hundred."""
    chance = Random(f"{seed}/{number}")  # noqa: S311 - it is to be the same every time
    blocks = [chance.choice(BLOCKS)(chance) for _ in range(chance.randrange(3, 12))]
    blocks.insert(chance.randrange(len(blocks)), handler(chance, HANDLERS[number % len(HANDLERS)]))
    body = _mutated(chance, "\n\n".join(blocks))
    return Document(_front(chance), body, _edited(chance, body))


def _text(chance: Random) -> str:
    words = [chance.choice(WORDS) for _ in range(chance.randrange(2, 9))]
    words.insert(chance.randrange(len(words)), chance.choice((markup, address, _character, _link, _word))(chance))
    return " ".join(words)


def _character(chance: Random) -> str:
    return "".join(chance.choice(CHARACTERS) for _ in range(chance.randrange(1, 4)))


def _word(chance: Random) -> str:
    return disguised(chance, chance.choice(CLOBBERING))


def _title(chance: Random) -> str:
    quote = chance.choice(('"', "'", "("))
    payload = chance.choice(PAYLOADS)
    inner = chance.choice((f'\\" onmouseover=\\"{payload}', markup(chance), f"&quot; onclick={payload} x=&quot;"))
    return f" {quote}{inner}{')' if quote == '(' else quote}"


def _link(chance: Random) -> str:
    target, words = address(chance), chance.choice((markup, _word, _character))(chance)
    title = _title(chance) if chance.random() < 0.4 else ""
    name = chance.choice(CLOBBERING)
    return chance.choice(
        (
            f"[{words}]({target}{title})",
            f"[{words}](<{target}>{title})",
            f"![{words}]({target}{title})",
            f"[![{words}]({target})]({address(chance)})",
            f"<{target}>",
            target,
            f"[{words}][{name}]\n\n[{name}]: {target}{title}\n",
            f"[{name}]\n\n[{name}]: <{target}>\n",
            f"[[SOP-0007|{words}]]",
            f"[[{target}]]",
            f"[{words}](evil)",
            f"[{words}](../other.md#{target})",
            f"[{words}](/sops/SOP-0007?{target})",
            f"[{words}](#{target})",
            f"![{words}](flow.png{title})",
            f"http://example.com/{words}",
            f'https://{chance.choice(PAYLOADS)}@example.com/"onmouseover={chance.choice(PAYLOADS)}',
            f"mailto:a@example.com?{words}",
        )
    )


def _heading(chance: Random) -> str:
    inner = chance.choice((markup, _word, _link, _character))(chance)
    attributes = chance.choice(
        ("", f" {{#{chance.choice(CLOBBERING)}}}", f" {{onclick={chance.choice(PAYLOADS)}}}", " {: style=x }")
    )
    if chance.random() < 0.3:
        return f"{inner}{attributes}\n{chance.choice('=-') * 4}"
    return f"{'#' * chance.randrange(1, 8)} {inner}{attributes}"


def _list(chance: Random) -> str:
    mark = chance.choice(("- ", "* ", "1. ", "999999999. ", "- [ ] ", "- [x] ", f"- [{_character(chance)}] "))
    return "\n".join(f"{' ' * (2 * chance.randrange(4))}{mark}{_text(chance)}" for _ in range(chance.randrange(1, 5)))


def _table(chance: Random) -> str:
    width = chance.randrange(1, 4)
    rule = "|".join(chance.choice(("---", ":--", "--:", ":-:", f":-{chance.choice(PAYLOADS)}-:")) for _ in range(width))
    rows = ["|".join(_text(chance).replace("\n", " ") for _ in range(width + chance.randrange(2))) for _ in range(3)]
    return "\n".join([f"|{rows[0]}|", f"|{rule}|", *(f"|{row}|" for row in rows[1:])])


def _fence(chance: Random) -> str:
    fence = chance.choice(("```", "~~~", "````"))
    language = chance.choice(LANGUAGES)
    info = chance.choice(
        (
            language,
            f"{language} {markup(chance)}",
            markup(chance),
            f'{language}" onload="{chance.choice(PAYLOADS)}',
            f"{{.{language} onclick=x}}",
            _character(chance),
        )
    )
    return f"{fence}{info}\n{markup(chance)}\n{_text(chance)}\n{fence if chance.random() < 0.8 else ''}"


def _quote(chance: Random) -> str:
    mark = chance.choice(
        ("", "[!NOTE]\n> ", "[!WARNING] ", f"[!{markup(chance)}]\n> ", "**Warning:** ", f"**{_text(chance)}** ")
    )
    return f"> {mark}{_text(chance)}\n> {_link(chance)}"


def _footnote(chance: Random) -> str:
    name = chance.choice((chance.choice(CLOBBERING), markup(chance), _character(chance), "1"))
    return f"x[^{name}] y^[{_text(chance)}]\n\n[^{name}]: {_text(chance)}\n"


def _definition(chance: Random) -> str:
    return f"{_text(chance)}\n: {_text(chance)}\n\n  ~ {markup(chance)}"


def _deep(chance: Random) -> str:
    depth = chance.randrange(2, 40)
    return chance.choice(
        (
            f"{'>' * depth} {markup(chance)}",
            "\n".join(
                f"{'  ' * level}- {markup(chance) if level == depth - 1 else 'a'}" for level in range(min(depth, 12))
            ),
            f"{'*' * depth}{markup(chance)}{'*' * depth}",
            f"{'[' * depth}{markup(chance)}{']' * depth}({address(chance)})",
            f"{'![' * depth}{chance.choice(PAYLOADS)}{'](x)' * depth}",
            f"{'<' * depth}{markup(chance)}",
            "<b>" * depth + markup(chance),
        )
    )


def _code(chance: Random) -> str:
    return chance.choice(
        (f"`{markup(chance)}`", f"    {markup(chance)}", f"``{markup(chance)}` {_text(chance)}", f"\t{_link(chance)}")
    )


BLOCKS: Sequence[Maker] = (
    *(markup, markup, _text, _text, _link, _link, _heading, _heading),
    *(_list, _table, _fence, _quote, _footnote, _definition, _deep, _code),
)


def _mutated(chance: Random, text: str) -> str:
    """Return `text` after a few blows: pieces lost, doubled, moved, and odd characters driven in."""
    for _ in range(chance.choice((0, 0, 1, 2, 4))):
        start = chance.randrange(len(text))
        end = min(len(text), start + chance.randrange(1, 12))
        piece = text[start:end]
        blow = chance.randrange(4)
        if blow == 0:
            text = text[:start] + text[end:] or "x"
        elif blow == 1:
            text = text[:end] + piece + text[end:]
        elif blow == 2:
            at = chance.randrange(len(text))
            text = text[:at] + piece + text[at:]
        else:
            text = (
                text[:start] + chance.choice((*CHARACTERS, "\\", "&", "<", '"', "`", "]", ")", "\n\n")) + text[start:]
            )
    return text


def _edited(chance: Random, body: str) -> str:
    blocks = body.split("\n\n")
    blocks[chance.randrange(len(blocks))] = chance.choice(BLOCKS)(chance)
    if chance.random() < 0.3:
        chance.shuffle(blocks)
    return "\n\n".join(blocks)


def _front(chance: Random) -> str:
    def value() -> str:
        made = chance.choice((markup, address, _word, _text, _character))(chance)
        # A quoted value holds what would break the line, so that it comes through to where it is shown.
        return '"' + made.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ").replace("\r", " ") + '"'

    bomb = (
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "x: !!python/object/apply:os.system [echo]\n",
        f"x: {'[' * 60}{']' * 60}\n",
        f"x: {'{a: ' * 30}1{'}' * 30}\n",
        "title: twice\ntitle: again\n",
        f"x: {'y' * 20_000}\n",
        "? [a, b]\n: c\n",
        "x: [1, 2\n",
        "\x00: x\n",
        f"{chance.choice(CLOBBERING)}: {value()}\n",
    )
    lines = f"title: {value()}\nowner: {value()}\ntags: [{value()}, {value()}]\nsystems: [{value()}]\n"
    lines += f"{chance.choice(CLOBBERING)}: {value()}\nnote: {value()}\n"
    return lines + (chance.choice(bomb) if chance.random() < 0.15 else "")
