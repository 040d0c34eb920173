import json
from pathlib import Path

from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.measuring import Figure, Taken, milliseconds
from benchmarks.table import table
from benchmarks.texts import sop_text


def test_every_benchmark_gives_figures_of_a_small_library(tmp_path: Path) -> None:
    written = tmp_path / "figures.json"

    main([*BENCHMARKS, "--sops", "50", "--cache", str(tmp_path / "cache"), "--json", str(written)])

    told = json.loads(written.read_text(encoding="utf-8"))
    assert {"CPU", "Python", "git", "SQLite"} <= set(told["machine"])
    figures = {(one["name"], one["unit"]): one["value"] for one in told["figures"]}
    assert len(figures) == len(told["figures"]), "two figures have one name"
    positive = {key: value for key, value in figures.items() if key[1] != "processes started"}
    assert all(value > 0 for value in positive.values())
    assert {unit for _, unit in figures} == {"ms", "s", "files/s", "MiB", "SQL statements", "processes started", "open"}
    assert figures["SOP page", "processes started"] == 0
    (cached,) = (tmp_path / "cache").iterdir()
    assert cached.name.startswith("50-"), "a run leaves nothing but the library that it may be given again"


def test_a_text_is_the_same_for_the_same_number_and_changes_with_each_revision() -> None:
    assert sop_text(7, sops=1_000) == sop_text(7, sops=1_000)
    assert len({sop_text(7, sops=1_000, change=change) for change in range(1, 31)}) == 30
    assert sop_text(7, sops=1_000) != sop_text(8, sops=1_000)


def test_texts_have_the_length_of_real_procedures() -> None:
    words = [len(sop_text(number, sops=1_000).split("---", 2)[2].split()) for number in range(1, 101)]
    assert 800 < sum(words) / len(words) < 950


def test_the_median_and_p95_are_those_of_the_times() -> None:
    figure = milliseconds("page", 1_000, [Taken(one / 1000, one / 2000) for one in range(1, 22)], aim=10.5)
    assert (figure.value, figure.p95, figure.cpu) == (11.0, 20.0, 5.5)
    assert figure.missed


def test_the_table_puts_the_sizes_side_by_side_and_says_what_misses_its_aim() -> None:
    figures = [
        Figure("page", 1_000, 4.04, "ms", p95=6.0, cpu=3.0, aim=5.0),
        Figure("page", 10_000, 1_204.4, "ms", p95=2_000.0, cpu=900.0, aim=5.0),
        Figure("memory", 10_000, 80.0, "MiB"),
    ]

    lines = table(figures, {"git": "2.39"}).splitlines()

    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert lines[0] == "- git: 2.39"
    assert cells[0] == ["figure", "unit", "aim", "1,000 SOPs", "10,000 SOPs"]
    assert cells[2] == ["page", "ms", "≤ 5", "4.0 (6)", "1,204 (2,000) missed"]
    assert cells[3] == ["memory", "MiB", "", "", "80"]
    assert len({len(line) for line in lines if line.startswith("|")}) == 1
    assert "[900]" in table(figures, {}, cpu=True)
