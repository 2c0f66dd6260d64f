"""What a discriminator gives may be anything; no training ends by being watched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import facesmith


@pytest.mark.parametrize("outputs", [(torch.zeros(4), torch.zeros(4)), [torch.zeros(4)], 0.3])
def test_outputs_that_are_no_tensor_are_left_out_and_named_once(
    outputs: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    networks = nn.Linear(2, 2), nn.Linear(2, 1)
    monitor = facesmith.HealthMonitor(*networks, tmp_path / "mine", every=4)
    images = torch.zeros(4, 3, 8, 8)
    for _ in range(3):
        monitor.step(real=images, fake=images, real_logits=outputs, fake_logits=outputs)
    assert monitor.images_seen == 12
    assert caplog.text.count("not measured") == 1
