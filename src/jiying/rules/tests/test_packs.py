"""The pack in force is found by its day; packs that quarrel over a day are refused."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from jiying.rules import packs
from jiying.rules.faults import NoPack, PackError

EXAMPLE = (packs.SHIPPED / "example-2026.1.yaml").read_text(encoding="utf-8")


def copy(folder: Path, file: str, *, name="example", version="2026.1", since="2000-01-01", until="null") -> Path:
    text = EXAMPLE.replace("name: example", f"name: {name}", 1).replace('"2026.1"', f'"{version}"', 1)
    text = text.replace("valid_from: 2000-01-01", f"valid_from: {since}", 1)
    path = folder / file
    path.write_text(text.replace("valid_to: 2025-12-31", f"valid_to: {until}", 1), encoding="utf-8")
    return path


@pytest.fixture
def in_use(tmp_path, monkeypatch):
    """Put the packs of a folder in use instead of those that ship."""
    monkeypatch.setattr(packs, "SHIPPED", tmp_path)
    packs._in_use.cache_clear()
    yield tmp_path
    packs._in_use.cache_clear()


@pytest.mark.parametrize(
    ("at", "version"),
    [(date(2026, 11, 24), "2026.2"), (date(2026, 1, 1), "2026.2"), (datetime(2023, 2, 28, 12, tzinfo=UTC), "2026.1")],
)
def test_the_example_judges_today_and_its_version_before_a_day_of_the_past(at, version):
    assert packs.in_force(at) is packs.named("example", version)


def test_a_day_before_every_pack_is_refused_with_what_there_is():
    with pytest.raises(
        NoPack, match=r"1999-12-31.*example 2026\.1 \(2000-01-01 – 2025-12-31\), example 2026\.2 \(2026-01-01 – …\)"
    ):
        packs.in_force(date(1999, 12, 31))


def test_an_unknown_pack_is_refused_with_what_there_is():
    with pytest.raises(NoPack, match=r"no rule pack example 1\..*example 2026\.1"):
        packs.named("example", "1")


def test_the_day_is_the_local_one_of_the_time_given(in_use):
    copy(in_use, "a.yaml", version="1", until="2026-06-30")
    copy(in_use, "b.yaml", version="2", since="2026-07-01")
    moment = datetime(2026, 6, 30, 20, tzinfo=UTC)
    assert packs.in_force(moment).version == "1"
    assert packs.in_force(moment.astimezone(timezone(timedelta(hours=8)))).version == "2"


def test_first_and_last_day_belong_to_a_pack(in_use):
    copy(in_use, "a.yaml", since="2026-01-01", until="2026-12-31")
    assert packs.in_force(date(2026, 1, 1)) == packs.in_force(date(2026, 12, 31))
    for outside in (date(2025, 12, 31), date(2027, 1, 1)):
        with pytest.raises(NoPack):
            packs.in_force(outside)


def test_an_official_pack_goes_before_the_example(in_use):
    copy(in_use, "example.yaml", since="2026-06-01")
    official = copy(in_use, "district.yaml", name="district")
    official.write_text(official.read_text("utf-8").replace("official: false", "official: true"), "utf-8")
    assert packs.in_force(date(2026, 7, 1)).name == "district"


@pytest.mark.parametrize(
    ("since", "until"), [("2026-01-01", "null"), ("1990-01-01", "2000-01-01"), ("1990-01-01", "null")]
)
def test_packs_of_one_name_may_not_share_a_day(tmp_path, since, until):
    files = [copy(tmp_path, "a.yaml"), copy(tmp_path, "b.yaml", version="2", since=since, until=until)]
    with pytest.raises(PackError) as caught:
        packs.load_all(files)
    [fault] = caught.value.errors
    written = files[1].read_text("utf-8").splitlines()
    [line] = [number for number, text in enumerate(written, 1) if text.startswith("valid_from:")]
    assert (fault["code"], fault["line"], caught.value.file) == ("overlapping_packs", line, "b.yaml")
    assert "a.yaml" in fault["message"]


def test_packs_that_follow_each_other_are_listed_by_their_beginning(tmp_path):
    late = copy(tmp_path, "a.yaml", version="2", since="2026-01-01")
    early = copy(tmp_path, "b.yaml", version="1", until="2025-12-31")
    assert [pack.version for pack in packs.load_all([late, early])] == ["1", "2"]


def test_one_version_may_not_name_two_packs(tmp_path):
    files = [copy(tmp_path, "a.yaml", until="2025-12-31"), copy(tmp_path, "b.yaml", since="2026-01-01")]
    with pytest.raises(PackError) as caught:
        packs.load_all(files)
    assert caught.value.errors[0]["code"] == "duplicate_code"


def test_a_faulty_file_is_refused_with_its_name(tmp_path):
    path = copy(tmp_path, "a.yaml", since="soon")
    with pytest.raises(PackError, match=r"^a\.yaml:\d+: bad_date: "):
        packs.load(path)


def test_a_pack_can_be_sent_to_another_process_and_kept_in_a_set():
    pack = packs.named("example", "2026.1")
    assert pickle.loads(pickle.dumps(pack)) == pack
    assert len({pack, packs.load(packs.SHIPPED / "example-2026.1.yaml")}) == 1


def test_a_loaded_file_that_cannot_be_opened_is_left_out_and_told(tmp_path, monkeypatch):
    monkeypatch.setenv("JIYING_HOME", str(tmp_path))
    (tmp_path / "packs" / "folder.yaml").mkdir(parents=True)
    (tmp_path / "packs" / "gone.yaml").symlink_to(tmp_path / "nowhere")
    packs._in_use.cache_clear()
    assert packs.in_use().packs
    assert [error.file for error in packs.faulty_files()] == ["folder.yaml", "gone.yaml"]
    packs._in_use.cache_clear()
