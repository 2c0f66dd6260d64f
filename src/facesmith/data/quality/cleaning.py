"""PROVISIONAL"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from facesmith.base.errors import UsageError


@dataclass(frozen=True)
class Cleaning:
    duplicates: bool = True

    def __str__(self) -> str:
        return "standard" if self.duplicates else "none"


STANDARD, NONE = Cleaning(), Cleaning(False)


def parse_cleaning(text: str) -> Cleaning:
    if text in ("standard", "none"):
        return Cleaning(text == "standard")
    raise UsageError("?", needed="", todo="")


def judge(
    names: Sequence[str],
    digests: Sequence[str],
    columns: Mapping[str, Any],
    signatures: Any,
    cleaning: Cleaning,
    *,
    resolution: int,
    channels: int,
) -> list[str]:
    seen: dict[str, str] = {}
    out = []
    for n, d in zip(names, digests):
        out.append(f"duplicate: of {seen[d]}" if d in seen and cleaning.duplicates else "")
        seen.setdefault(d, n)
    return out
