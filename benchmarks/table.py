"""The report: one row for each figure, one column for each size, in Markdown that reads as plain text."""

from collections.abc import Mapping, Sequence

from benchmarks.measuring import Figure


def table(figures: Sequence[Figure], machine: Mapping[str, str], *, cpu: bool = False) -> str:
    """Return the machine, and the figures in the order in which they were taken."""
    sizes = sorted({figure.sops for figure in figures})
    rows: dict[tuple[str, str], dict[int, Figure]] = {}
    for figure in figures:
        rows.setdefault((figure.name, figure.unit), {})[figure.sops] = figure
    written = [["figure", "unit", "aim", *(f"{sops:,} SOPs" for sops in sizes)]]
    written += [
        [name, unit, _aim(by_size), *(_cell(by_size.get(sops), cpu=cpu) for sops in sizes)]
        for (name, unit), by_size in rows.items()
    ]
    widths = [max(len(row[column]) for row in written) for column in range(len(written[0]))]
    lines = [_line(row, widths) for row in written]
    ruler = ["-" * (width - 1) + (":" if column > 1 else "-") for column, width in enumerate(widths)]
    told = [f"- {name}: {value}" for name, value in machine.items()]
    explained = "Median (p95), one client, everything warm." + (" In brackets: the work of the CPU." if cpu else "")
    return "\n".join([*told, "", lines[0], _line(ruler, widths), *lines[1:], "", explained])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        f"{cell:>{width}}" if column > 1 else f"{cell:<{width}}"
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return f"| {' | '.join(cells)} |"


def _aim(by_size: Mapping[int, Figure]) -> str:
    aim = next(iter(by_size.values())).aim
    return "" if aim is None else f"≤ {aim:g}"


def _cell(figure: Figure | None, *, cpu: bool) -> str:
    if figure is None:
        return ""
    value = _number(figure.value) if figure.p95 is None else f"{_number(figure.value)} ({_number(figure.p95)})"
    if cpu and figure.cpu is not None:
        value = f"{value} [{_number(figure.cpu)}]"
    return f"{value} missed" if figure.missed else value


def _number(value: float) -> str:
    if float(value).is_integer():
        return f"{value:,.0f}"
    if value < 1:
        return f"{value:.2g}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
