"""The half of which figures are reported: planted without a look at the rules, and judged once."""

from planted.reporting import data, healthy, settings, structure

FAULTS = (*healthy.FAULTS, *data.FAULTS, *structure.FAULTS, *settings.FAULTS)
