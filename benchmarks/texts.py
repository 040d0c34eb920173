"""Synthetic SOPs, the same for the same seed: the example library's sentences, and a long tail of rare words."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from random import Random

from sop_server.resources import resource

DEPARTMENTS = (
    "ai-operations",
    "back-office",
    "claims",
    "collections",
    "customer-care",
    "facilities",
    "finance",
    "it-support",
    "kyc-onboarding",
    "logistics",
    "payments",
    "security-access",
)
TEAMS = tuple(f"{department}-tier{tier}" for department in DEPARTMENTS for tier in (1, 2))
OWNERS = tuple(f"owner{number}@example.com" for number in range(1, 37))

SOPS_PER_PROCESS = 25

_SYSTEMS = tuple(
    f"{name}{part}" for name in ("Order", "Pay", "Claim", "Ware", "Case", "Ship") for part in ("Desk", "Hub", "Track")
)
_TITLE_ACTS = ("Handling", "Checking", "Releasing", "Correcting", "Closing", "Escalating", "Recording", "Refusing")
_TITLE_THINGS = (
    "refunds",
    "identity documents",
    "late parcels",
    "invoices",
    "account changes",
    "complaints",
    "outages",
)
_HEADINGS = ("Purpose", "Scope", "Roles", "Before you start", "Steps", "Limits", "Exceptions", "Escalation", "Records")
_TAGS = ("refund", "payment", "two-person-rule", "identity", "night-shift", "client", "fraud", "privacy")
_SYLLABLES = tuple(first + vowel for first in "bdfgklmnprstvz" for vowel in "aeiou")
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def seeded(seed: str) -> Random:
    """Return what draws the same for the same seed on every machine."""
    return Random(seed)  # noqa: S311 - drawn texts, no secrets


def file_path(number: int) -> Path:
    """Return where in its folder the SOP with this number stands."""
    return Path(department_of(number)) / f"procedure-{number:05}.md"


def sop_id(number: int) -> str:
    """Return the id of the SOP with this number."""
    return f"SOP-{number:04}"


def department_of(number: int) -> str:
    """Return the department of the SOP with this number."""
    return DEPARTMENTS[number % len(DEPARTMENTS)]


def process_id(number: int) -> str:
    """Return the id of the process with this number."""
    return f"PROC-{number:03}"


def systems_of(number: int) -> list[str]:
    """Return the systems that the SOP with this number depends on."""
    random = seeded(f"systems {number}")
    return sorted(random.sample(_SYSTEMS, 3))


def audience_of(number: int) -> list[str]:
    """Return the teams that must read the SOP with this number: two of five have an audience."""
    return [TEAMS[number % len(TEAMS)]] if number % 5 < 2 else []


def rare_word(random: Random) -> str:
    """Return a made-up word; short ones return often, long ones hardly ever."""
    return "".join(random.choices(_SYLLABLES, k=random.choice((2, 3, 3, 4, 4, 5))))


def sop_text(number: int, *, sops: int, change: int = 1) -> str:
    """Return the SOP with this number of a library of `sops`, as its `change`-th revision says it: about 890 words."""
    random = seeded(f"sop {number}")
    parts = [_front_matter(number, sops=sops, random=random)]
    for heading in _HEADINGS:
        parts.append(f"## {heading}\n")
        parts.append(_section(heading, sops=sops, random=random))
    for past in range(2, change + 1):
        again = seeded(f"sop {number} r{past}")
        place = again.randrange(2, len(parts))
        parts.insert(place, f"From the {past}th change on: {_paragraph(again, sentences=2)}")
    return "\n".join(parts)


def _front_matter(number: int, *, sops: int, random: Random) -> str:
    processes = max(1, sops // SOPS_PER_PROCESS)
    links = sorted({random.randint(1, sops) for _ in range(3)} - {number})
    lines = [
        f"id: {sop_id(number)}",
        f"title: {random.choice(_TITLE_ACTS)} {random.choice(_TITLE_THINGS)} of {rare_word(random).title()}",
        f"process: {process_id(1 + number % processes)}" if number % 10 < 7 else "",
        f"department: {department_of(number)}",
        f"owner: {OWNERS[number % len(OWNERS)]}",
        f"deputy: {OWNERS[(number + 1) % len(OWNERS)]}",
        f"audience: [{', '.join(audience_of(number))}]" if audience_of(number) else "",
        f"systems: [{', '.join(systems_of(number))}]",
        f"review_every: {random.choice((180, 365))} days",
        f"tags: [{', '.join(sorted(random.sample(_TAGS, 2)))}]",
        f"links: [{', '.join(sop_id(link) for link in links)}]",
    ]
    return "\n".join(["---", *(line for line in lines if line), "---", ""])


def _section(heading: str, *, sops: int, random: Random) -> str:
    match heading:
        case "Steps":
            return "".join(f"{step}. {_paragraph(random, sentences=2)}" for step in range(1, 13))
        case "Roles" | "Limits" | "Escalation":
            rows = "".join(
                f"| {rare_word(random).title()} | {random.randint(1, 99)} | {_sentence(random)} |\n" for _ in range(4)
            )
            return f"| Who | Number | Does |\n| --- | --- | --- |\n{rows}"
        case "Exceptions":
            return "".join(f"- **{rare_word(random).title()}.** {_sentence(random)}\n" for _ in range(5))
        case "Before you start":
            other = random.randint(1, sops)
            path = f"../{file_path(other).as_posix()}"
            return (
                f"Read [[{sop_id(random.randint(1, sops))}]] and [the procedure before this one]({path}).\n\n"
                f"> **Warning:** {_sentence(random)}\n"
            )
        case _:
            return f"{_paragraph(random, sentences=4)}\n{_paragraph(random, sentences=4)}"


def _paragraph(random: Random, *, sentences: int) -> str:
    return " ".join(_sentence(random) for _ in range(sentences)) + "\n"


def _sentence(random: Random) -> str:
    found: str = random.choice(_sentences())
    if random.random() < 0.4:
        words = found.split()
        words.insert(random.randrange(len(words)), rare_word(random))
        return " ".join(words)
    return found


@cache
def _sentences() -> Sequence[str]:
    """Return the sentences of the example library, without links, lists and tables."""
    found: set[str] = set()
    for path in sorted(resource("sops").glob("[a-z]*/*.md")):
        for line in path.read_text(encoding="utf-8").split("---", 2)[-1].splitlines():
            text = re.sub(r"^(\d+\.|-|>)\s+", "", line.strip())
            if text.startswith(("|", "#")) or "[" in text:
                continue
            found.update(part for part in _SENTENCE.split(text) if len(part.split()) > 3)
    return sorted(found)
