"""The half of which figures are reported: planted without a look at the rules, judged without changing them."""

from planted.reporting import data, healthy, settings, structure

FAULTS = (*healthy.FAULTS, *data.FAULTS, *structure.FAULTS, *settings.FAULTS)
