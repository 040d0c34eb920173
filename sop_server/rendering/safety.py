"""The last gate: nothing leaves that is not on the list."""

import nh3

from sop_server.rendering.links import SAFE_SCHEMES

TAGS = {
    *("a", "aside", "blockquote", "br", "code", "dd", "del", "div", "dl", "dt", "em", "h1", "h2", "h3", "h4"),
    *("h5", "h6", "hr", "img", "input", "ins", "li", "ol", "p", "pre", "s", "section", "span", "strong", "sup"),
    *("table", "tbody", "td", "th", "thead", "tr", "ul"),
}
ATTRIBUTES = {
    "*": {"class"},
    "a": {"href", "id", "rel", "title"},
    "aside": {"role"},
    "div": {"aria-label", "role", "tabindex"},
    **{f"h{level}": {"id"} for level in range(1, 7)},
    "img": {"alt", "loading", "src"},
    "input": {"checked", "disabled"},
    "li": {"id", "value"},
    "ol": {"start"},
}


def clean(html: str) -> str:
    """Return `html` with the tags, attributes and schemes of the list alone."""
    return nh3.clean(
        html,
        tags=TAGS,
        attributes=ATTRIBUTES,
        tag_attribute_values={"input": {"type": {"checkbox"}}, "th": {"scope": {"col"}}},
        url_schemes=set(SAFE_SCHEMES),
        link_rel=None,
    )
