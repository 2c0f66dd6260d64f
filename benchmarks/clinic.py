"""How good is the doctor? It is asked about runs whose fault is known, because it was planted.

python benchmarks/clinic.py list
python benchmarks/clinic.py train --out DIR [--half development|reporting] [--only REGEX] [--workers 2]
python benchmarks/clinic.py judge --out DIR [--half development|reporting] [--only REGEX] [--json FILE]

Rules are developed on the development half alone, `planted/development`. Figures are those of the
reporting half, `planted/reporting`: other variations of the faults, other recipes and other seeds, planted
without a look at the rules. Training is done once, judging as often as the rules change.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from functools import lru_cache, partial
from pathlib import Path

from facesmith.base.records import Record
from planted.catalogue import all_cases
from planted.judging import judge_all, summarize, table
from planted.mending import mend, summary
from planted.runner import chosen, in_processes, train_all

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def main() -> None:
    """List, train or judge the cases."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="the cases, and how many there are")
    training = verbs.add_parser("train", help="train those that are not trained yet")
    mending = verbs.add_parser("mend", help="train mendable ones again, with the autopilot")
    judging = verbs.add_parser("judge", help="ask the doctor about those that are trained")
    for verb in (training, mending, judging):
        verb.add_argument(
            "--out", type=Path, required=True, help="where runs and datasets are kept"
        )
        verb.add_argument("--half", choices=("development", "reporting"))
        verb.add_argument("--only", help="a regular expression for the cases' names")
    for verb in (training, mending):
        verb.add_argument("--workers", type=int, default=2, help="trainings at a time")
    training.add_argument("--shared", type=Path, default=SHARED, help="where the photos are")
    for verb in (mending, judging):
        verb.add_argument("--json", type=Path, help="where the figures are written")
    options = parser.parse_args()
    if options.verb == "list":
        _list()
    elif options.verb == "train":
        for line in train_all(
            options.out,
            options.shared,
            half=options.half,
            only=options.only,
            workers=options.workers,
        ):
            print(line, flush=True)
    elif options.verb == "mend":
        _mend(options)
    else:
        _judge(options)


def _list() -> None:
    cases = all_cases().values()
    for case in cases:
        print(case.id)
    for half in ("development", "reporting"):
        kinds = Counter(case.fault.kind for case in cases if case.fault.half == half)
        healthy = kinds.pop("healthy")
        print(f"{half}: {kinds.total()} runs of {len(kinds)} faults, {healthy} healthy ones")


def _mend(options: argparse.Namespace) -> None:
    half = options.half or "reporting"
    names = [case.id for case in chosen(half, options.only) if case.fault.mendable]
    for line in in_processes(partial(mend, out=options.out), names, options.workers):
        print(line, flush=True)
    found = summary(options.out, half)
    print(json.dumps({key: value for key, value in found.items() if key != "runs"}, indent=1))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _judge(options: argparse.Namespace) -> None:
    from facesmith.health import facts
    from facesmith.health.findings import diagnose
    from facesmith.recipes import published

    known = lru_cache(maxsize=1)(
        partial(facts.read, published=published)
    )  # each run is asked about eleven times

    def doctor(folder: Path, records: list[Record]) -> list[object]:
        return diagnose(records, known(folder))

    summaries = {}
    for half in [options.half] if options.half else ["development", "reporting"]:
        verdicts = judge_all(
            options.out,
            half,
            doctor,
            matches=lambda case: re.search(options.only or "", case) is not None,
        )
        summaries[half] = summarize(verdicts)
        print(f"## {half}\n\n{table(summaries[half])}")
    if options.json:
        options.json.write_text(json.dumps(summaries, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
