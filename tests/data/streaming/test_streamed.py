"""Photos without a pack: the same stream however it is cut, whatever decodes it, wherever it begins."""

from __future__ import annotations

import hashlib
import io
import itertools
import logging
import os
import signal
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from numpy.typing import NDArray
from PIL import Image

from facesmith.base.errors import DataError, UsageError
from facesmith.data import prepare
from facesmith.data.photos.crops import CenterCrop, PhotoError
from facesmith.data.photos.facecrop import FaceCrop
from facesmith.data.photos.framing import Cut, Framing
from facesmith.data.plan import Preparation
from facesmith.data.sources.annotations import SIDES, Annotations, Column
from facesmith.data.sources.contract import Entry, Item, Reader, Source
from facesmith.data.sources.opening import open_source
from facesmith.data.statistics import channel_histogram, moments
from facesmith.data.streaming import decoder
from facesmith.data.streaming.streamed import Streamed, streamed

Photos = Callable[..., Path]
SIDE = 8
FRAMING = Framing(SIDE)
SEED = 4
COUNT = 90


def picture(index: int) -> NDArray[np.uint8]:
    """Pixels that tell their number."""
    pixels = np.full((SIDE, SIDE, 3), index % 256, np.uint8)
    pixels[:, : SIDE // 2] = index // 256
    return pixels


@dataclass
class Drawn:
    """Gives pictures at once, and notes what it was asked for; some are bad."""

    bad: frozenset[int] = frozenset()
    asked: list[list[int]] = field(default_factory=list)

    def read(self, entries: Sequence[Entry]) -> Iterator[Item | PhotoError]:
        self.asked.append([entry.index for entry in entries])
        for entry in entries:
            if entry.index in self.bad:
                yield PhotoError("damaged", f"planted in {entry.name}")
            else:
                yield Item(picture(entry.index), labels=(entry.index, f"word {entry.index}"))


def source(count: int = COUNT, reader: Reader | None = None, **more: Any) -> Source:
    entries = [Entry(f"photo {number:05d}", 9, number) for number in range(count)]
    return Source("drawn", entries, reader or Drawn(), label_names=("number", "word"), **more)


def numbers(images: NDArray[np.uint8]) -> list[int]:
    return (images[:, 0, -1, 0] + 256 * images[:, 0, 0, 0].astype(int)).tolist()


def stream(count: int = COUNT, reader: Reader | None = None, workers: int = 1) -> Streamed:
    return Streamed(source(count, reader), FRAMING, held_out=0.0, workers=workers)


# ---- the stream


def test_batches_of_any_size_cut_the_same_stream() -> None:
    photos, length = stream(2500), 6_000
    whole = photos.batch(0, length, seed=SEED, flip=0.5)
    random = np.random.default_rng(0)
    for start in [0, 2490, 5_900, *random.integers(0, length - 100, 5).tolist()]:
        part = stream(2500).batch(start, 100, seed=SEED, flip=0.5)  # as after a resume
        np.testing.assert_array_equal(part, whole[start : start + 100])
    start = 0
    while start < length:
        count = min(int(random.integers(1, 700)), length - start)
        part = photos.batch(start, count, seed=SEED, flip=0.5)
        np.testing.assert_array_equal(part, whole[start : start + count])
        start += count
    assert photos.batch(7, 0, seed=SEED, flip=0.5).shape == (0, SIDE, SIDE, 3)


@pytest.mark.parametrize("world", [1, 2, 3])
def test_the_shares_of_all_processes_are_the_stream(world: int) -> None:
    batch, share = 12, 12 // world
    whole = stream().batch(0, 20 * batch, seed=SEED, flip=0.5)
    ranks = [stream() for _ in range(world)]
    seen = [
        ranks[rank].batch(update * batch + rank * share, share, seed=SEED, flip=0.5)
        for update in range(20)
        for rank in range(world)
    ]
    np.testing.assert_array_equal(np.concatenate(seen), whole)


def test_an_epoch_holds_every_photo_once_mixed_and_in_its_own_order() -> None:
    epochs = np.array(numbers(stream().batch(0, 3 * COUNT, seed=SEED))).reshape(3, COUNT)
    assert (np.sort(epochs) == np.arange(COUNT)).all()
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 3
    assert epochs[0].tolist() != numbers(stream().batch(0, COUNT, seed=SEED + 1))


def test_flips_are_those_of_the_sample() -> None:
    plain, flipped = (stream().batch(0, 400, seed=SEED, flip=flip) for flip in (0.0, 0.5))
    changed = (plain != flipped).any((1, 2, 3))
    assert 140 < changed.sum() < 260
    np.testing.assert_array_equal(flipped[changed], plain[changed][:, :, ::-1])


def test_labels_of_a_batch_belong_to_its_images() -> None:
    photos = stream(reader=Drawn(bad=frozenset({3})))
    images = numbers(photos.batch(5, 120, seed=SEED))
    labels = photos.batch_labels(5, 120, seed=SEED)
    assert labels["number"].tolist() == images
    assert labels["word"].tolist() == [f"word {number}" for number in images]
    assert list(photos.batch_labels(5, 9, seed=SEED, columns=["word"])) == ["word"]


def test_images_are_those_that_a_pack_would_hold(tmp_path: Path, photos: Photos) -> None:
    folder = photos(tmp_path / "photos", 20)
    how = Preparation(SIDE, "center:30", held_out=0.0, clean="none")
    packed = prepare(folder, tmp_path / "out", resolution=SIDE, crop="center:30", held_out=0.0)
    images = streamed(folder, how, workers=1).batch(0, 20, seed=SEED)
    assert sorted(map(bytes, images)) == sorted(map(bytes, packed.images))


def test_an_archive_is_read_forwards(tmp_path: Path, photos: Photos) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        for path in sorted(photos(tmp_path / "photos", 12).iterdir(), reverse=True):
            archive.write(path, path.name)
    found = open_source(tmp_path / "photos.zip", resolution=SIDE)
    assert [entry.index for entry in found.entries] == list(range(11, -1, -1))
    reader = Drawn()
    Streamed(replace(found, reader=reader), FRAMING, held_out=0.0, workers=1).batch(0, 12, seed=0)
    assert reader.asked == [list(range(12))]


def test_long_sources_are_read_in_short_stretches() -> None:
    reader = Drawn()
    photos = stream(32 * 200, reader)
    photos.batch(0, 64, seed=SEED)
    assert len(reader.asked) == 64
    assert all(asked == list(range(asked[0], asked[0] + 32)) for asked in reader.asked)
    photos.batch(64, 32 * 64 - 64, seed=SEED)
    assert len(reader.asked) == 64  # each photo of a pool is decoded once


@pytest.mark.parametrize(("side", "window"), [(64, 32), (256, 21), (512, 5), (2048, 1)])
def test_large_images_are_mixed_in_as_much_memory(side: int, window: int) -> None:
    photos = Streamed(source(), Framing(side), workers=1)
    assert photos.order.window == window
    assert window == 1 or window * 64 * 3 * side**2 <= 2**28


# ---- what training asks beside batches


def test_whether_a_photo_is_held_out_depends_on_its_name_alone() -> None:
    photos = Streamed(source(1000), FRAMING, held_out=0.2, workers=1)
    shares = [
        int(hashlib.sha256(entry.name.encode()).hexdigest(), 16) / 2**256
        for entry in photos.source.entries
    ]
    held = [number for number, share in enumerate(shares) if share < 0.2]
    assert 150 < len(held) < 250
    assert numbers(photos.held_out) == held
    assert (photos.count, len(photos)) == (1000 - len(held), 1000 - len(held))
    assert (photos.summary.train, photos.summary.held_out) == (photos.count, len(held))
    trained = numbers(photos.batch(0, photos.count, seed=SEED))
    assert sorted(trained + held) == list(range(1000))
    fewer = Streamed(source(500), FRAMING, held_out=0.2, workers=1)
    assert numbers(fewer.held_out) == [number for number in held if number < 500]
    assert stream().held_out.shape == (0, SIDE, SIDE, 3)


def test_statistics_are_those_of_a_fixed_sample() -> None:
    photos = stream()  # so few that it holds them all
    images = np.stack([picture(number) for number in range(COUNT)])
    mean, std = moments(channel_histogram(images))
    assert (photos.mean, photos.std) == (tuple(mean), tuple(std))
    reader = Drawn()
    many = stream(32 * 300, reader)
    assert many.mean == many.mean
    assert len(reader.asked) == 32  # once
    first = [asked[0] for asked in reader.asked]
    assert (first[0], first[-1]) == (0, 32 * 299)
    assert {later - earlier for earlier, later in itertools.pairwise(first)} <= {288, 320}


def test_what_it_is_changes_with_the_photos_and_their_order() -> None:
    told = stream().describe()
    assert told == stream().describe()
    assert told["count"] == COUNT
    others = [
        stream(COUNT + 1),
        Streamed(source(), FRAMING, held_out=0.3, workers=1),
        Streamed(source(), Framing(SIDE, CenterCrop(8)), held_out=0.0, workers=1),
        Streamed(source(), Framing(SIDE, channels=1), held_out=0.0, workers=1),
    ]
    assert all(other.describe()["settings"] != told["settings"] for other in others)


# ---- bad photos


def test_a_bad_photo_is_replaced_by_the_next_one_in_the_source(
    caplog: pytest.LogCaptureFixture,
) -> None:
    good = np.array(numbers(stream().batch(0, 2 * COUNT, seed=SEED)))
    bad = frozenset({10, 31, 32, COUNT - 1})
    photos = stream(reader=Drawn(bad=bad))
    images = np.array(numbers(photos.batch(0, 2 * COUNT, seed=SEED)))
    next_ones = {10: 11, 31: 33, 32: 33, COUNT - 1: 0}
    assert images.tolist() == [next_ones.get(number, number) for number in good.tolist()]
    named = [record.message for record in caplog.records]
    assert len(named) == len(bad)  # though each was met twice
    assert (
        "photo 00010 is not used: damaged: planted in photo 00010; the next photo stands in"
        in named
    )
    part = stream(reader=Drawn(bad=bad)).batch(77, 30, seed=SEED)
    assert numbers(part) == images[77:107].tolist()


def test_more_than_one_bad_photo_in_a_hundred_ends_the_training() -> None:
    few = frozenset(range(0, 3000, 150))
    stream(3000, Drawn(bad=few)).batch(0, 12_000, seed=SEED)
    many = frozenset(range(0, 3000, 90))
    with pytest.raises(
        DataError, match="34 of 3,000 photos of drawn cannot be used; the last is"
    ) as caught:
        stream(3000, Drawn(bad=many)).batch(0, 12_000, seed=SEED)
    assert "at most 1%" in caught.value.needed
    assert "--cache none" in caught.value.todo


def test_nothing_but_bad_photos_is_an_error_even_if_they_are_few() -> None:
    with pytest.raises(DataError, match="5 of 5 photos"):
        stream(5, Drawn(bad=frozenset(range(5)))).batch(0, 1, seed=SEED)


def test_many_bad_photos_are_named_in_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="facesmith")  # the command line may have set it higher
    stream(9000, Drawn(bad=frozenset(range(0, 9000, 200)))).batch(0, 9000, seed=SEED)
    levels = [record.levelno for record in caplog.records if "is not used" in record.message]
    assert levels == [logging.WARNING] * 20 + [logging.DEBUG] * 25


# ---- workers


@pytest.fixture(scope="module")
def with_two() -> Iterator[Streamed]:
    photos = Streamed(open_source("portraits:70", resolution=16), Framing(16), workers=2)
    yield photos
    photos.close()


@pytest.fixture(scope="module")
def alone() -> Streamed:
    return Streamed(open_source("portraits:70", resolution=16), Framing(16), workers=1)


def test_workers_change_nothing_wherever_it_begins(with_two: Streamed, alone: Streamed) -> None:
    for start in (0, 50, 64, 1000, 10, 2000):
        expected = alone.batch(start, 40, seed=SEED, flip=0.5)
        np.testing.assert_array_equal(with_two.batch(start, 40, seed=SEED, flip=0.5), expected)
    assert with_two.mean == alone.mean
    assert (with_two.held_out == alone.held_out).all()


def test_only_the_next_pool_is_decoded_ahead(with_two: Streamed) -> None:
    for start in (0, 30, 60, 90, 5000):
        with_two.batch(start, 10, seed=SEED)
        following = with_two.order.pool(with_two.order.pool(start + 9, seed=SEED).end, seed=SEED)
        assert set(with_two._decoder._running) == set(following.windows)


def test_a_killed_worker_is_replaced(
    with_two: Streamed, alone: Streamed, caplog: pytest.LogCaptureFixture
) -> None:
    with_two.batch(0, 10, seed=SEED)
    workers = [c for c in psutil.Process().children() if "spawn_main" in " ".join(c.cmdline())]
    for worker in workers:  # as a signal to the whole group does
        os.kill(worker.pid, signal.SIGTERM)
    psutil.wait_procs(workers)
    expected = alone.batch(200, 100, seed=SEED)
    np.testing.assert_array_equal(with_two.batch(200, 100, seed=SEED), expected)
    assert "has died, and is replaced" in caplog.text


def test_closing_ends_the_workers_and_reading_starts_others(
    with_two: Streamed, alone: Streamed
) -> None:
    expected = alone.batch(300, 10, seed=SEED)
    with_two.batch(5, 10, seed=SEED)
    with_two.close()
    with_two.close()
    assert [c for c in psutil.Process().children() if "spawn_main" in " ".join(c.cmdline())] == []
    np.testing.assert_array_equal(with_two.batch(300, 10, seed=SEED), expected)


# ---- refusals


def test_crops_that_make_any_number_of_images_are_refused() -> None:
    crop = FaceCrop(detector="haar")
    with pytest.raises(
        UsageError, match=r"--crop face.* was asked for with --cache none"
    ) as caught:
        Streamed(source(), Framing(SIDE, crop), workers=1)
    assert "one image of each photo" in caught.value.needed
    assert "faces=largest" in caught.value.todo


def test_the_largest_face_of_a_photo_may_be_cut_while_training(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A photo without a face is one that cannot be used.
    def faces(pixels: NDArray[np.uint8], framing: Framing) -> list[Cut]:
        number = numbers(pixels[None])[0]
        return [Cut(pixels, 8, f"no face: none in photo {number}" if number == 5 else "")]

    monkeypatch.setattr(decoder, "frame_pixels", faces)
    crop = FaceCrop(faces="largest", detector="haar")
    photos = Streamed(source(), Framing(SIDE, crop), held_out=0.0, workers=1)
    images = numbers(photos.batch(0, COUNT, seed=SEED))
    assert (images.count(5), images.count(6)) == (0, 2)


def told(names: Sequence[str], sides: Sequence[int] | None = None) -> Annotations:
    """What a list of labels tells of photos: which are odd, and a word for some."""
    rows = {name: row for row, name in enumerate(names)}
    odd = Column(np.array([int(name[-1]) % 2 for name in names], np.int8))
    codes = np.array([-(2**31) if int(name[-1]) > 4 else 0 for name in names], np.int32)
    columns = (odd, Column(codes, ("small",)))
    known = None if sides is None else np.array(sides, np.int8)
    return Annotations(("odd", "size"), ("list.csv",), "1", rows, columns, known)


def test_labels_that_lie_beside_photos_belong_to_the_images_of_a_batch() -> None:
    plain = source(reader=Drawn(bad=frozenset({13})))
    names = [entry.name for entry in plain.entries]
    listed = replace(plain, annotations=told(names[::-1]))
    photos = Streamed(listed, FRAMING, held_out=0.3, workers=1)
    images = numbers(photos.batch(5, 100, seed=SEED))
    labels = photos.batch_labels(5, 100, seed=SEED)
    assert list(labels) == ["number", "word", "odd", "size"]
    assert labels["number"].tolist() == images
    assert labels["odd"].tolist() == [number % 2 for number in images]
    assert labels["size"].tolist() == ["" if number % 10 > 4 else "small" for number in images]
    assert list(photos.batch_labels(5, 1, seed=SEED, columns=["odd"])) == ["odd"]
    with pytest.raises(UsageError, match=r"no column 'od' \(did you mean 'odd'"):
        photos.batch_labels(5, 1, seed=SEED, columns=["od"])


def test_the_split_of_the_authors_is_kept_where_it_is_known_in_time() -> None:
    names = [entry.name for entry in source(40).entries]
    sides = [SIDES["held-out"] if number % 4 == 0 else SIDES["train"] for number in range(40)]
    listed = source(40, own_split=True, annotations=told(names, sides))
    photos = Streamed(listed, FRAMING, held_out=None, workers=1)
    assert numbers(photos.held_out) == list(range(0, 40, 4))
    assert sorted(numbers(photos.batch(0, 30, seed=SEED))) == sorted(
        {*range(40)} - {*range(0, 40, 4)}
    )
    by_name = Streamed(listed, FRAMING, held_out=0.2, workers=1)
    assert numbers(by_name.held_out) == numbers(
        Streamed(source(40), FRAMING, held_out=0.2, workers=1).held_out
    )


def test_photos_of_which_the_authors_say_nothing_are_split_by_name() -> None:
    names = [entry.name for entry in source(300).entries]
    sides = [SIDES["held-out"], SIDES["train"], *[0] * 298]
    listed = source(300, own_split=True, annotations=told(names, sides))
    held = set(numbers(Streamed(listed, FRAMING, held_out=None, workers=1).held_out))
    by_name = set(numbers(Streamed(source(300), FRAMING, workers=1).held_out))
    assert held == by_name - {1} | {0}


def test_a_split_that_each_image_tells_comes_too_late() -> None:
    with pytest.raises(DataError, match="drawn says with each image whether it is held out"):
        Streamed(source(own_split=True), FRAMING, held_out=None, workers=1)


def test_the_split_of_parquet_files_is_known_in_time(tmp_path: Path) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for name, first, count in (("train", 0, 30), ("test", 30, 6)):
        images = [{"bytes": encoded(picture(first + n)), "path": None} for n in range(count)]
        table = pa.table({"image": images, "number": list(range(first, first + count))})
        pq.write_table(table, tmp_path / f"{name}-00000.parquet", row_group_size=8)
    photos = streamed(tmp_path, Preparation(SIDE), workers=1)
    assert numbers(photos.held_out) == list(range(30, 36))
    images = numbers(photos.batch(0, 30, seed=SEED))
    assert sorted(images) == list(range(30))
    assert photos.batch_labels(0, 30, seed=SEED)["number"].tolist() == images


def encoded(pixels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(("mode", "is_packed"), [("w", False), ("w:gz", True)])
def test_tars_are_streamed_unless_they_are_packed(
    mode: str, is_packed: bool, tmp_path: Path
) -> None:
    path = tmp_path / "photos.tar"
    with tarfile.open(path, mode) as archive:
        for number in range(12):
            member = tarfile.TarInfo(f"{number:02d}.png")
            data = encoded(picture(number))
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    how = Preparation(SIDE, held_out=0.0)
    if is_packed:
        with pytest.raises(DataError, match="can only be read from its beginning"):
            streamed(path, how, workers=1)
    else:
        images = streamed(path, how, workers=1).batch(0, 12, seed=SEED)
        assert sorted(numbers(images)) == list(range(12))


def test_a_prepared_dataset_is_refused(tmp_path: Path, photos: Photos) -> None:
    out = tmp_path / "out"
    prepare(photos(tmp_path / "photos", 3), out, resolution=SIDE, workers=1)
    with pytest.raises(UsageError, match="is a prepared dataset"):
        streamed(out, Preparation(SIDE))


def test_what_is_not_packed_cannot_be_balanced() -> None:
    with pytest.raises(UsageError, match="balanced by number and word") as caught:
        stream().balanced("number", "word")
    assert "--balance" in caught.value.todo


def test_a_real_archive_gives_the_images_of_its_pack(shared_data: Path, tmp_path: Path) -> None:
    how = Preparation(16, "center:178", limit=200, held_out=0.0, clean="none")
    archive = shared_data / "celeba_20000.zip"
    packed = prepare(
        archive, tmp_path / "out", resolution=16, crop="center:178", limit=200, held_out=0.0,
        clean="none", workers=1,
    )  # fmt: skip
    images = streamed(archive, how, workers=1).batch(0, 200, seed=SEED)
    assert sorted(map(bytes, images)) == sorted(map(bytes, packed.images))
