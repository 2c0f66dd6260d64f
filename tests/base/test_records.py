import errno
import json
import math
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

from facesmith.base import records
from facesmith.base.records import Record, append, forget_after, read

RECORD = Record(
    images_seen=64,
    steps=1,
    penalties={"0.R1": 0.25},
    learning_rates={"generator": 2e-4},
    **{
        f.name: 0.5 + index
        for index, f in enumerate(fields(Record))
        if f.name not in ("images_seen", "steps", "penalties", "learning_rates")
    },
)


def at(images_seen, **changes):
    return replace(RECORD, images_seen=images_seen, steps=images_seen // 64, **changes)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def write(path, *many):
    for record in many:
        append(path, record)


def test_what_is_appended_is_read_back_in_order(path):
    write(path, at(64), at(128), at(192))
    assert list(read(path)) == [at(64), at(128), at(192)]


def test_the_file_is_json_lines_with_one_header(path):
    write(path, at(64), at(128))
    header, *lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert header == {"facesmith_metrics": 1}
    assert lines == [asdict(at(64)), asdict(at(128))]


def test_numbers_that_are_not_finite_become_null_and_then_nan(path):
    write(path, at(64, generator_loss=math.nan, penalties={"0.R1": math.inf, "1.R2": 1.0}))
    assert "NaN" not in path.read_text()
    assert "Infinity" not in path.read_text()
    (found,) = read(path)
    assert math.isnan(found.generator_loss)
    assert math.isnan(found.penalties["0.R1"])
    assert found.penalties["1.R2"] == 1.0


@pytest.mark.parametrize("kept", [1, 10, 200])
def test_a_torn_last_line_is_skipped(path, kept):
    write(path, at(64), at(128))
    whole = path.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    path.write_bytes(whole[: last + kept])
    assert list(read(path)) == [at(64)]


def test_a_line_that_is_no_text_is_skipped(path):
    write(path, at(64))
    with path.open("ab") as stream:
        stream.write(b'{"images_seen": "\xff\xfe"\n')
    write(path, at(128))
    assert list(read(path)) == [at(64), at(128)]


def test_a_line_of_zeros_after_a_power_cut_is_skipped(path):
    write(path, at(64))
    with path.open("ab") as stream:
        stream.write(b"\0" * 100)
    assert list(read(path)) == [at(64)]


def test_fields_of_a_newer_version_are_ignored(path):
    write(path, at(64))
    with path.open("a") as stream:
        stream.write(json.dumps({**asdict(at(128)), "colour_of_the_sky": 3}) + "\n")
    assert list(read(path)) == [at(64), at(128)]


def test_a_resumed_run_forgets_what_it_will_make_again_and_goes_on(path):
    write(path, at(64), at(128), at(192), at(256))
    forget_after(path, 128)
    assert list(read(path)) == [at(64), at(128)]
    append(path, at(192, generator_loss=9.0))
    assert list(read(path)) == [at(64), at(128), at(192, generator_loss=9.0)]
    assert path.read_text().count("facesmith_metrics") == 1


def test_forgetting_mends_a_torn_line_so_that_the_next_record_is_whole(path):
    write(path, at(64), at(128))
    path.write_bytes(path.read_bytes()[:-30])
    forget_after(path, 1000)
    append(path, at(192))
    assert list(read(path)) == [at(64), at(192)]


def test_forgetting_keeps_numbers_that_are_not_finite(path):
    write(path, at(64, generator_loss=math.nan))
    forget_after(path, 64)
    (found,) = read(path)
    assert math.isnan(found.generator_loss)


def test_forgetting_everything_or_a_missing_file_is_allowed(path):
    forget_after(path, 0)
    assert not path.exists()
    write(path, at(64))
    forget_after(path, 0)
    assert list(read(path)) == []
    append(path, at(64))
    assert list(read(path)) == [at(64)]


def test_a_kill_while_forgetting_loses_no_record(path, monkeypatch):
    write(path, at(64), at(128), at(192))
    lines = []

    def die(record):
        lines.append(record)
        if len(lines) == 2:
            raise KeyboardInterrupt
        return "{}\n"

    monkeypatch.setattr(records, "_line", die)
    with pytest.raises(KeyboardInterrupt):
        forget_after(path, 192)
    assert list(read(path)) == [at(64), at(128), at(192)]


def test_a_disk_that_fills_up_while_forgetting_loses_no_record_and_is_not_filled_further(
    path, monkeypatch
):
    write(path, at(64), at(128))
    write_text = Path.write_text

    def fill_up(self, text, **named):
        write_text(self, text[: len(text) // 2], **named)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", fill_up)
    with pytest.raises(OSError, match="No space left"):
        forget_after(path, 64)
    assert list(read(path)) == [at(64), at(128)]
    assert list(path.parent.iterdir()) == [path]
