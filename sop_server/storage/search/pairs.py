"""Which documents may have two terms side by side: a Bloom filter over neighbours, bit by bit over all documents.

Without it a phrase with a frequent word reads the text of every document that has its words: thousands for a handful.
"""

import zlib
from array import array
from collections.abc import Collection, Sequence
from itertools import pairwise

_BITS = 1 << 12
"""With the 700 different neighbours of a long procedure, one pair in six is thought to be there and isn't."""


def _bit(pair: tuple[str, str]) -> int:
    return zlib.crc32(" ".join(pair).encode("utf-8", "replace")) % _BITS


class PairsBuilder:
    """Gathers the neighbours of one document after the other."""

    def __init__(self) -> None:
        self._documents: list[array[int]] = []

    def add(self, texts: Collection[Sequence[str]]) -> None:
        """Add the next document: the terms of each of its texts, in order."""
        pairs = {pair for text in texts for pair in pairwise(text)}
        self._documents.append(array("H", set(map(_bit, pairs))))

    def to_bytes(self) -> bytes:
        """Give a row of document bits for each bit of the filter."""
        stride = (len(self._documents) + 7) // 8
        rows = bytearray(_BITS * stride)
        for number, bits in enumerate(self._documents):
            place, mask = number >> 3, 1 << (number & 7)
            for bit in bits:
                rows[bit * stride + place] |= mask
        return bytes(rows)


class Pairs:
    """The filter of a segment, as `PairsBuilder.to_bytes` gave it."""

    def __init__(self, rows: bytes) -> None:
        self._rows = rows
        self._stride = len(rows) // _BITS

    def candidates(self, numbers: Collection[int], phrase: Sequence[str]) -> list[int]:
        """Give those documents that may have the terms of a phrase side by side; none that has them is missing."""
        bits = -1
        for pair in set(pairwise(phrase)):
            start = _bit(pair) * self._stride
            bits &= int.from_bytes(self._rows[start : start + self._stride], "little")
        if bits < 0:
            return list(numbers)
        row = bits.to_bytes(self._stride, "little")
        return [number for number in numbers if row[number >> 3] >> (number & 7) & 1]
