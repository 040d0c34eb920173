import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sop_server.rendering.alignment import align

WORDS = st.lists(st.sampled_from("abcde"), max_size=40)


@given(WORDS, WORDS)
def test_pairs_are_equal_and_rise(old: list[str], new: list[str]) -> None:
    pairs = align(old, new)
    assert all(old[i] == new[j] for i, j in pairs)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(pairs))


@given(WORDS)
def test_a_text_is_aligned_with_itself_in_full(words: list[str]) -> None:
    assert align(words, words) == [(at, at) for at in range(len(words))]


@given(WORDS, WORDS)
def test_small_texts_keep_as_much_as_can_be_kept(old: list[str], new: list[str]) -> None:
    best = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, left in enumerate(old):
        for j, right in enumerate(new):
            best[i + 1][j + 1] = best[i][j] + 1 if left == right else max(best[i][j + 1], best[i + 1][j])
    assert len(align(old, new)) == best[-1][-1]


def test_long_texts_hold_on_to_what_stands_once() -> None:
    old = [f"w{n}" for n in range(5_000)]
    new = [word for word in old if word != "w7"]
    new.insert(3_000, "more")
    assert len(align(old, new)) == 4_999


def test_repetition_does_not_stretch_the_time() -> None:
    start = time.process_time()
    align(["a", "b"] * 50_000, ["b", "a", "c"] * 40_000)
    assert time.process_time() - start < 2
