import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sop_server.rendering.markdown import Link
from sop_server.rendering.redline import Redline, redline
from tests.rendering.html_reading import assert_safe, text_without

LIBRARY = {"SOP-0007": Link("/sops/SOP-0007", "Chargebacks")}


def compare(old: str, new: str) -> Redline:
    return redline(old, new, resolve=LIBRARY.get)


def test_a_changed_amount_is_marked_word_by_word() -> None:
    result = compare("Refunds over 500 USD need a second person.\n", "Refunds over 750 EUR need a second person.\n")
    assert result.html == (
        '<p>Refunds over <del><span class="amount">500 USD</span></del><ins><span class="amount">750 EUR</span></ins>'
        " need a second person.</p>\n"
    )
    assert (result.changed, result.insertions, result.deletions, result.moved) == (True, 2, 2, 0)


def test_equal_texts_show_no_change_however_they_are_wrapped() -> None:
    result = compare("One two\nthree.\n\n* a\n* b\n", "One two three.\n\n- a\n- b\n")
    assert not result.changed
    assert "<ins" not in result.html
    assert "<del" not in result.html


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("plain word here", "plain **word** here"),
        ("[see this page](https://a.example)", "[see this page](https://b.example)"),
        ("![the map](a.png)", "![the map](https://b.example/a.png)"),
        ("## Same heading here", "### Same heading here"),
        ("a paragraph of words", "- a paragraph of words"),
        ("- [ ] a task to do", "- [x] a task to do"),
        ("above\n\n---\n\nbelow", "above\n\nbelow"),
        ("call `restart now`", "call restart now"),
    ],
)
def test_a_change_of_form_is_a_change(old: str, new: str) -> None:
    assert compare(old, new).changed


def test_a_new_step_leaves_its_neighbours_alone() -> None:
    result = compare("1. Open the screen.\n2. Close it.\n", "1. Open the screen.\n2. Check the name.\n3. Close it.\n")
    assert result.html == (
        '<ol class="steps">\n<li value="1">\n<p class="tight">Open the screen.</p>\n</li>\n'
        '<li value="2">\n<p class="tight added"><ins>Check the name.</ins></p>\n</li>\n'
        '<li value="3">\n<p class="tight">Close it.</p>\n</li>\n</ol>\n'
    )


def test_rows_are_compared_cell_by_cell_and_the_table_stays_whole() -> None:
    head = "| Tier | Limit |\n|---|--:|\n"
    result = compare(
        f"{head}| One | 500 USD |\n| Two | 9 |\n\nOld end.\n", f"{head}| One | 700 USD |\n| Six | 4 |\n\nEnd.\n"
    )
    assert result.html.count("<table>") == 1
    assert '<td>One</td><td class="align-right"><del><span class="amount">500</span></del><ins>' in result.html
    assert '<tr class="removed"><td><del>Two</del></td>' in result.html
    assert '<tr class="added"><td><ins>Six</ins></td>' in result.html


def test_a_block_that_only_moved_is_marked_in_both_places() -> None:
    old = "First of all, sit.\n\nThen one thing.\n\nThen another thing.\n"
    new = "Then one thing.\n\nThen another thing.\n\nFirst of all, sit.\n"
    result = compare(old, new)
    assert (result.changed, result.moved, result.insertions, result.deletions) == (True, 1, 0, 0)
    assert '<p class="removed moved"><del class="moved">First of all, sit.</del></p>' in result.html
    assert '<p class="added moved"><ins class="moved">First of all, sit.</ins></p>' in result.html


def test_a_rewritten_block_is_shown_whole() -> None:
    result = compare("The cat sat on the mat.\n", "Nobody expects such things of us, ever.\n")
    assert result.html.startswith('<p class="removed"><del>The cat sat on the mat.</del></p>')


def test_code_is_compared_and_keeps_its_lines() -> None:
    result = compare("```\nline one\nline two\n```\n", "```\nline one\nline 2\n```\n")
    assert result.html == '<pre class="code"><code>line one\nline <del>two</del><ins>2</ins></code></pre>\n'


def test_what_is_too_complex_is_compared_as_it_was_written() -> None:
    result = compare("[" * 50_000 + "\nold\n", "[" * 50_000 + "\nnew\n")
    assert "<del>old</del><ins>new</ins>" in result.html


def test_ids_stand_nowhere_so_that_none_stands_twice() -> None:
    assert 'id="' not in compare("## A heading\n\n1. step\n", "## A heading\n\n1. stop\n\nx[^1]\n\n[^1]: y\n").html


PIECES = st.sampled_from(
    [
        *("one two three four\n", "five six seven\n", "500 USD\n", "# H\n", "## H\n", "- a b c\n", "- d\n", "  - e\n"),
        *(
            "1. f g\n",
            "   1. h\n",
            "> q r s\n",
            "> **Note:** t\n",
            "\n",
            "\n\n",
            "| a | b |\n|---|---|\n| c | d |\n",
            "---\n",
        ),
        *(
            "```\nx y\n```\n",
            "**b** ",
            "`c` ",
            "[l](https://example.com) ",
            "SOP-0007 ",
            "![i](j) ",
            "x[^1]\n\n[^1]: n\n",
        ),
        *("- [ ] t\n", "- [x] t\n", "T\n: D\n", "<b>", "&amp;", "\\\n", "<script>", "é", "\u2028"),
    ]
)
DOCUMENTS = st.lists(PIECES, max_size=14).map("".join)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENTS, DOCUMENTS)
def test_without_insertions_it_is_the_old_text_and_without_deletions_the_new(old: str, new: str) -> None:
    result = compare(old, new)
    assert_safe(result.html)
    assert text_without(result.html, "ins") == text_without(compare(old, old).html, "ins")
    assert text_without(result.html, "del") == text_without(compare(new, new).html, "del")
    assert not compare(new, new).changed
    marked = "<ins" in result.html or "<del" in result.html
    assert result.changed or not marked


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES, max_size=12), st.integers(0, 12), PIECES)
@example(["- a b c\n", "- a b c\n"], 1, "\n")
def test_an_edit_of_one_piece_is_found(pieces: list[str], at: int, piece: str) -> None:
    old, new = "".join(pieces), "".join([*pieces[:at], piece, *pieces[at:]])
    # An empty line between the items of a list sets them wider apart: nothing that is read has changed.
    before, after = (compare(one, one).html.replace(' class="tight"', "") for one in (old, new))
    assert compare(old, new).changed == (before != after)
