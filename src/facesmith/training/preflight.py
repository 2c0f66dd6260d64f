"""The check before the first step: what is certain to fail is not begun."""

from __future__ import annotations

import logging

from facesmith.base.errors import UsageError
from facesmith.base.records import Record
from facesmith.health import facts
from facesmith.health.preflight import is_hopeless, preflight
from facesmith.recipes import published
from facesmith.training.view import View

log = logging.getLogger(__name__)
SAID = ("batch-norm-small-batch", "batch-norm-gradient-penalty", "checkerboard")
"""Kinds that `Recipe.check` warns of by itself."""


class Preflight:
    """Refuses a hopeless run and warns of a risky one, before its first step."""

    def started(self, view: View) -> None:
        """Check recipe, first weights, loss and data.

        Args:
            view: The run; one that goes on was checked when it began.

        Raises:
            UsageError: The run is certain to fail.
        """
        if view.state.images_seen > 0:
            return
        for finding in preflight(facts.read(view.folder.path, published)):
            todo = " ".join(filter(None, (finding.remedy.advice, finding.remedy.options())))
            if is_hopeless(finding):
                evidence = "; ".join(evidence.text for evidence in finding.evidence)
                raise UsageError(
                    finding.title, needed=f"something else than: {evidence}", todo=todo
                )
            if finding.kind not in SAID:
                log.warning("%s\n  to do:  %s", finding.title, todo)

    def stepped(self, view: View, record: Record) -> str | None:  # noqa: D102
        return None

    def finished(self, view: View, reason: str) -> None:  # noqa: D102
        pass
