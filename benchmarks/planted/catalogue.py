"""All cases."""

from __future__ import annotations

from planted import development, reporting
from planted.case import Case, Fault

FAULTS: tuple[Fault, ...] = (*development.FAULTS, *reporting.FAULTS)


def all_cases() -> dict[str, Case]:
    """Give the runs of all faults, those of the development half first.

    Returns:
        Cases by id.
    """
    return {case.id: case for fault in FAULTS for case in fault.cases()}
