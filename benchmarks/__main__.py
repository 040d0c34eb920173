"""Measure, and print a table: `python -m benchmarks [NAME …] [--sops N …] [--cpu] [--cache DIR] [--json FILE]`."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from benchmarks import approving, counting, filling, permitting, reading, reporting, searching, serving, signing_in
from benchmarks.libraries import Library, opened
from benchmarks.machine import machine
from benchmarks.measuring import Figure
from benchmarks.table import table

Benchmark = Callable[[Sequence[Library]], Iterator[Figure]]

SIZES = (1_000, 10_000)


def _each(measure: Callable[[Library], Iterator[Figure]]) -> Benchmark:
    """Take the figures of one library after the other."""

    def figures(libraries: Sequence[Library]) -> Iterator[Figure]:
        for library in libraries:
            yield from measure(library)

    return figures


# Approving changes the libraries, so it comes after what reads them.
BENCHMARKS: dict[str, Benchmark] = {
    "reading": _each(reading.figures),
    "searching": _each(searching.figures),
    "reporting": _each(reporting.figures),
    "counting": _each(counting.figures),
    "serving": _each(serving.figures),
    "permitting": _each(permitting.figures),
    "signing_in": _each(signing_in.figures),
    "approving": approving.figures,
    "filling": _each(filling.figures),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run what was asked for, all of it where nothing was."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure sop_server on this machine.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; all where absent")
    parser.add_argument("--sops", type=int, action="append", help="size of a library, may be repeated; 1000 and 10000")
    parser.add_argument("--cache", type=Path, help="where the libraries are kept between runs")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument("--cpu", action="store_true", help="show beside each time what the CPU worked on it")
    given = parser.parse_args(arguments)
    names: list[str] = given.names or list(BENCHMARKS)
    unknown = sorted(set(names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    cache: Path = (given.cache or Path(tempfile.gettempdir()) / "sop-benchmarks").absolute()
    described = machine()
    figures: list[Figure] = []
    with ExitStack() as stack:
        libraries = []
        for sops in given.sops or SIZES:
            print(f"opening the library of {sops:,} SOPs", file=sys.stderr)
            libraries.append(stack.enter_context(opened(cache, sops=sops)))
        for name in names:
            print(f"measuring {name}", file=sys.stderr)
            figures += BENCHMARKS[name](libraries)
    print(table(figures, described, cpu=given.cpu))
    if given.json is not None:
        written = {"machine": described, "figures": [asdict(figure) for figure in figures]}
        given.json.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
