"""What the owner of a dataset should know, most serious first."""

from __future__ import annotations

from facesmith.data.audit import faults, imbalances
from facesmith.data.audit.advice import SEVERITIES, Finding
from facesmith.data.audit.contents import Audit


def findings(audit: Audit) -> list[Finding]:
    """Judge an audit.

    Args:
        audit: Of a dataset, or of images.

    Returns:
        The findings; a pure function of the numbers.
    """
    found = [finding for rule in (*faults.RULES, *imbalances.RULES) for finding in rule(audit)]
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))
