"""All cases."""

from __future__ import annotations

from planted import faults_of_data, faults_of_settings, faults_of_structure, healthy
from planted.case import Case, Fault

FAULTS: tuple[Fault, ...] = (
    *healthy.FAULTS,
    *faults_of_data.FAULTS,
    *faults_of_structure.FAULTS,
    *faults_of_settings.FAULTS,
)


def all_cases() -> dict[str, Case]:
    """Give the runs of all faults, those of the development half first.

    Returns:
        Cases by id.
    """
    cases = [case for fault in FAULTS for case in fault.cases()]
    return {case.id: case for case in sorted(cases, key=lambda case: case.fault.half)}
