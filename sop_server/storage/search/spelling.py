"""The word that somebody probably meant, from the words that the library itself uses."""

from collections.abc import Callable, Iterator, Sequence
from string import ascii_lowercase

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract_iter

from sop_server.storage.search.documents import Vocabulary

SHORTEST = 4
"""Shorter words are not corrected: almost anything is one letter away from them."""
_SHORTEST_FOR_TWO = 6
_CANDIDATES = 12
_RARE = 2
_MUCH_MORE = 10


def suggest(word: str, vocabularies: Sequence[Vocabulary], *, is_of_use: Callable[[str], bool]) -> str | None:
    """Give the likeliest spelling of a folded word, or `None`. `is_of_use` says whether a search for a word finds any.

    A word that the library uses is right, unless it is rare and a neighbour is used far more often. One slip is
    likelier than two, a right first letter likelier than a wrong one, a frequent word likelier than a rare one.
    """
    if len(word) < SHORTEST or not word.isalpha():
        return None

    def frequency(candidate: str) -> int:
        return sum(vocabulary.counts.get(candidate, 0) for vocabulary in vocabularies)

    uses = frequency(word)
    if uses > _RARE:
        return None
    least = uses * _MUCH_MORE + 1
    for candidates in (_one_slip(word), _two_slips(word, vocabularies)):
        found = {each: frequency(each) for each in candidates if each != word}
        known = [each for each, number in found.items() if number >= least]
        known.sort(key=lambda each: (each[0] != word[0], -found[each], each))
        for each in known[:_CANDIDATES]:
            if is_of_use(each):
                return each
    return None


def _one_slip(word: str) -> Iterator[str]:
    """Yield every word at one deletion, transposition, replacement or insertion.

    Source: Norvig, "How to write a spelling corrector", 2007.
    """
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        if tail:
            yield head + tail[1:]
        if len(tail) > 1:
            yield head + tail[1] + tail[0] + tail[2:]
        for letter in ascii_lowercase:
            if tail:
                yield head + letter + tail[1:]
            yield head + letter + tail


def _two_slips(word: str, vocabularies: Sequence[Vocabulary]) -> Iterator[str]:
    """Yield the known words with the same first letter at two slips at most (optimal string alignment)."""
    if len(word) < _SHORTEST_FOR_TWO:
        return
    for vocabulary in vocabularies:
        near = extract_iter(word, vocabulary.starting_with(word[0]), scorer=OSA.distance, score_cutoff=2)
        yield from (known for known, _, _ in near)
