"""Items that begin with `[ ]` or `[x]` become tasks with a box, in one pass however many there are."""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_BOX = re.compile(r"\[([ xX])\][ \t\n]")
_LISTS = frozenset({"bullet_list_open", "ordered_list_open"})
_ENDS = frozenset({"bullet_list_close", "ordered_list_close"})


def tasks(md: MarkdownIt) -> None:
    """Teach the parser tasks."""
    md.core.ruler.after("inline", "tasks", _mark)


def _mark(state: StateCore) -> None:
    lists: list[Token] = []
    for at, token in enumerate(state.tokens):
        if token.type in _LISTS:
            lists.append(token)
        elif token.type in _ENDS:
            lists.pop()
        elif token.type == "list_item_open" and at + 2 < len(state.tokens):
            paragraph, words = state.tokens[at + 1], state.tokens[at + 2]
            box = _BOX.match(words.content) if paragraph.type == "paragraph_open" else None
            if box is not None and words.children:
                _tick(words, done=box.group(1) != " ")
                token.attrSet("class", "task-list-item")
                lists[-1].attrSet("class", "contains-task-list")


def _tick(words: Token, *, done: bool) -> None:
    children = words.children or []
    if not children[0].content.startswith("["):
        return
    box = Token("html_inline", "", 0)
    checked = 'checked="checked" ' if done else ""
    box.content = f'<input class="task-list-item-checkbox" {checked}disabled="disabled" type="checkbox">'
    children[0].content = children[0].content[3:]
    children.insert(0, box)
    words.content = words.content[3:]
