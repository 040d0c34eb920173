"""Render and walk hostile documents in a real browser: `python -m tests.hostile [--documents N] [--seed N]`."""

import argparse
import sys
import time

from tests.hostile.walking import SEED, NoChromiumError, Walked, chosen, walk


def main() -> int:
    """Walk as many documents as were asked for; 1 where anything was met that should not be there."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first one, to see one again")
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args()
    started, walked = time.monotonic(), Walked()
    try:
        for walked in walk(chosen(range(given.first, given.first + given.documents), seed=given.seed)):
            if walked.documents % 1_000 == 0 or not walked.harmless:
                print(f"{walked.documents:,} of {given.documents:,}", file=sys.stderr)
            if not walked.harmless:
                break
    except NoChromiumError:
        print("Not walked: there is no Chromium here.", file=sys.stderr)
        return 2
    print(walked)
    print(f"{walked.attributes:,} attributes, {walked.addresses:,} addresses, {time.monotonic() - started:.0f} s")
    print("Nothing ran and nothing stands where it should not." if walked.harmless else "NOT harmless.")
    return 0 if walked.harmless else 1


if __name__ == "__main__":
    sys.exit(main())
