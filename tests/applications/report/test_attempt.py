"""A run folder, read for those who show it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from facesmith.applications.report import Attempt
from facesmith.applications.report import attempt as attempts
from facesmith.health.finding import Finding, Remedy


def test_what_was_there_at_the_first_record_was_there_from_the_start(
    run_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run_folder()
    first, second = (int(seen) for seen in Attempt.read(folder).course.images[:2])
    found = [
        Finding("oscillation", "ill", "t", since, "e", Remedy("a")) for since in (0, first, second)
    ]
    monkeypatch.setattr(attempts, "diagnose", lambda records, facts: found)
    assert [each.since for each in Attempt.read(folder).findings] == [0, 0, second]
