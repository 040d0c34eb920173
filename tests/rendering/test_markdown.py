import re
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sop_server.rendering.markdown import Heading, Link, render
from tests.rendering.html_reading import assert_safe, read

LIBRARY = {
    "SOP-0007": Link("/sops/SOP-0007", "Chargebacks"),
    "../other.md": Link("/sops/SOP-0011"),
    "flow.png": Link("/attachments/3/flow.png"),
    "evil": Link("javascript:alert(1)"),
}


def html(body: str) -> str:
    return render(body, resolve=LIBRARY.get).html


def test_headings_move_below_the_page_title_and_carry_stable_anchors() -> None:
    rendered = render("# Purpose\n\n## Łimits & co\n\n## Łimits & co\n\n# 返金\n", resolve=LIBRARY.get)
    assert rendered.outline == (
        Heading(2, "Purpose", "s-purpose"),
        Heading(3, "Łimits & co", "s-limits-co"),
        Heading(3, "Łimits & co", "s-limits-co-2"),
        Heading(2, "返金", "s-section"),
    )
    assert '<h3 id="s-limits-co-2">' in rendered.html
    assert rendered.headings_text == "Purpose\nŁimits & co\nŁimits & co\n返金"


def test_a_heading_that_repeats_the_title_is_left_out() -> None:
    body = "# Refunds\n\nText.\n"
    assert "Refunds" not in render(body, resolve=LIBRARY.get, title="Refunds").html
    assert "Refunds" in render(body, resolve=LIBRARY.get, title="Other").html


def test_the_steps_of_one_list_are_numbered_through() -> None:
    rendered = html("1. Open.\n   1. Inner.\n2. Close.\n")
    assert '<ol class="steps">' in rendered
    assert '<li id="step-1">' in rendered
    assert '<li id="step-2">' in rendered
    assert rendered.count("steps") == 1


def test_the_steps_of_several_lists_are_named_by_their_section() -> None:
    rendered = html("1. a\n\n## Pay\n\n3. b\n\ntext\n\n1. c\n\n## Pay\n\n1. d\n")
    for step in ("step-top-1", "step-pay-3", "step-pay-2-1", "step-pay-2-2-1"):
        assert f'id="{step}"' in rendered


@pytest.mark.parametrize(
    ("body", "opening"),
    [
        ("> **Warning:** hot\n", '<aside class="note warning" role="note">'),
        ("> **Note**: mild\n", '<aside class="note" role="note">'),
        ("> [!CAUTION]\n> hot\n", '<aside class="note warning" role="note">'),
        ("> [!TIP] short\n", '<aside class="note tip" role="note">'),
        ("> **Anything** else\n", "<blockquote>"),
        ("> [!OTHER]\n> x\n", "<blockquote>"),
        ("> - a list\n", "<blockquote>"),
    ],
)
def test_warnings_and_notes_become_asides(body: str, opening: str) -> None:
    assert html(body).startswith(opening)


def test_a_mark_of_a_note_becomes_a_word() -> None:
    assert "<strong>Warning:</strong> hot <em>stove</em>" in html("> [!WARNING]\n> hot *stove*\n")


def test_tables_scroll_by_themselves_and_align_by_class() -> None:
    rendered = html("| a | b |\n|---|--:|\n| 1 | 2 |\n")
    assert '<div class="table-scroll" tabindex="0" role="region" aria-label="Table 1">' in rendered
    assert '<td class="align-right">2</td>' in rendered
    assert '<th scope="col">a</th>' in rendered
    assert "style" not in rendered


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("over 500 USD in 48 hours", ["500 USD", "48 hours"]),
        ("USD 1,500.50, $5k or 3 €", ["USD 1,500.50", "$5k", "3 €"]),
        ("5\u201310 business days, 5 % of 2 MB", ["5\u201310 business days", "5 %", "2 MB"]),
        ("version 1.2.3, 3 items, 10USDx, page 24/7, r7", []),
    ],
)
def test_amounts_are_kept_whole(text: str, amounts: list[str]) -> None:
    assert re.findall(r'<span class="amount">(.*?)</span>', html(text)) == amounts


def test_amounts_in_code_are_left_alone() -> None:
    assert "amount" not in html("`500 USD`\n\n    500 USD\n")


def test_references_to_sops_become_links() -> None:
    rendered = render(
        "SOP-0007, [[SOP-0007]], [[SOP-0007|pay *back*]], [x](/sops/SOP-0007#step-1)", resolve=LIBRARY.get
    )
    link = '<a href="/sops/SOP-0007" title="Chargebacks">'
    assert rendered.html.count(link) == 3
    assert f"{link}pay *back*</a>" in rendered.html
    assert 'href="/sops/SOP-0007#step-1"' in rendered.html
    assert rendered.links == ("SOP-0007",)


def test_a_link_that_leads_nowhere_is_shown_as_broken() -> None:
    rendered = render("[[SOP-0099]] SOP-0098 [gone](a/gone.md#x) [file](x.pdf)", resolve=LIBRARY.get)
    assert rendered.html.count('<span class="broken-link">') == 4
    assert "<a" not in rendered.html
    assert rendered.links == ("SOP-0099", "SOP-0098")
    assert rendered.relative_links == ("a/gone.md",)


def test_a_path_of_the_library_leads_to_its_sop() -> None:
    rendered = render("[other](../other.md#x)", resolve=LIBRARY.get)
    assert '<a href="/sops/SOP-0011#x">other</a>' in rendered.html
    assert rendered.links == ("SOP-0011",)


def test_links_in_code_are_text() -> None:
    rendered = render("`[[SOP-0007]]` `SOP-0007` and `if [[ -f x ]]` [[ -f x ]]", resolve=LIBRARY.get)
    assert rendered.links == ()
    assert "[[ -f x ]]" in rendered.html


def test_links_to_headings_find_the_anchors_of_this_place() -> None:
    assert '<a href="#s-limits-co">' in html("[x](#limits--co)\n\n## Limits & co\n")
    assert '<a href="#elsewhere">' in html("[x](#elsewhere)\n")


def test_links_to_the_world_give_nothing_away() -> None:
    rendered = html("[x](https://example.com) http://example.org/a mail@example.com runbook.md")
    assert rendered.count('rel="noopener noreferrer"') == 2
    assert 'href="mailto:mail@example.com"' in rendered
    assert "//runbook.md" not in rendered


def test_images_show_where_the_library_has_them() -> None:
    assert '<img src="/attachments/3/flow.png" alt="Flow" loading="lazy">' in html("![Flow](flow.png)")
    assert html("![Flow](missing.png)") == '<p><span class="image-missing">(image: Flow)</span></p>\n'
    assert ">(image: a.png)</a>" in html("![](https://example.com/a.png)")
    assert "<img" not in html("![x](evil)")
    assert html("[![x](https://example.com/a.png)](https://example.com)").count("<a ") == 1


def test_code_is_coloured_by_classes() -> None:
    rendered = html('```bash\necho "<b>" # hi\n```\n')
    assert '<pre class="code"><code class="language-bash">' in rendered
    assert '<span class="c1"># hi</span>' in rendered
    assert "&lt;b&gt;" in rendered
    assert html("```unknown\n<x>\n```\n") == '<pre class="code"><code>&lt;x&gt;\n</code></pre>\n'


def test_footnotes_tasks_and_definitions_are_understood() -> None:
    rendered = html("A[^1] ~~b~~\n\n- [x] done\n\nTerm\n: Meaning\n\n[^1]: Foot\n")
    assert 'id="fn1"' in rendered
    assert "<s>b</s>" in rendered
    assert 'checked="checked"' in rendered
    assert "<dt>Term</dt>" in rendered


def test_plain_text_holds_the_words_and_no_marks() -> None:
    rendered = render("## A *b*\n\n- c `d`\n\n| e |\n|---|\n| f |\n\n```\ng\n```\n", resolve=LIBRARY.get)
    assert rendered.text == "A b\nc d\ne\nf\ng"


HOSTILE = [
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](&#x6a;avascript:alert(1))",
    "[x](java%0ascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](data:image/svg+xml,<svg onload=alert(1)>)",
    "<javascript:alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "[a](evil)",
    "[[SOP-0007|<img src=x onerror=alert(1)>]]",
    '[x](https://example.com "\\" onmouseover=\\"alert(1)")',
    "<!-- comment -->",
    "<a href='javascript:x'>y</a>",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    "| <svg/onload=alert(1)> |\n|---|\n",
    "> [!<script>]\n> x",
    "# <img onerror=x>\n",
    "[^<b>]\n\n[^<b>]: x",
    "\\<script>",
    "&lt;script&gt;",
    "- [ ] <input onfocus=alert(1) autofocus>",
]


@pytest.mark.parametrize("body", HOSTILE)
def test_hostile_markdown_stays_harmless(body: str) -> None:
    assert_safe(html(body))


PIECES = st.sampled_from(
    [
        *HOSTILE,
        *("# ", "## a\n", "> ", "- ", "1. ", "\n", "\n\n", "| a | b |\n|---|---|\n| c | d |\n", "```\n", "`", "**"),
        *("[", "](", ")", "[[", "]]", "SOP-0007", "[^1]", "\n[^1]: ", "a\n: b\n", "~~", "<", ">", "&", '"', "500 USD "),
        *(
            "https://example.com/",
            "javascript:",
            "![",
            "- [x] ",
            "    ",
            "\t",
            "\\",
            "é",
            "\u202e",
            "\x00",
            "> [!NOTE]\n",
        ),
    ]
)


@settings(max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES | st.text(max_size=5), max_size=25).map("".join))
def test_no_document_is_unsafe_or_unbalanced(body: str) -> None:
    rendered = render(body, resolve=LIBRARY.get)
    assert_safe(rendered.html)
    anchors = {attributes.get("id") for _, attributes in read(rendered.html).tags}
    assert {heading.anchor for heading in rendered.outline} <= anchors


def test_threads_do_not_disturb_each_other() -> None:
    bodies = [f"see http://example.com/{n} and a{n}@example.com\n" * 20 for n in range(4)]
    expected = [html(body) for body in bodies]
    seen: list[list[str]] = [[] for _ in bodies]

    def work(n: int) -> None:
        seen[n] = [html(bodies[n]) for _ in range(10)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [[text] * 10 for text in expected]
