"""A protocol file in words."""

from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from monitor.cli.main import main
from monitor.protocol import model
from monitor.protocol.model import LATER, Protocol
from monitor.protocol.words import SENTENCES, alternatives, differences, fields, readings, sentence, stamped

FILE = Path(model.__file__).with_name("nct06754540.yaml")
PROTOCOL = Protocol.load()


def written(tmp_path: Path, name: str, **sections: dict[str, Any]) -> Path:
    """A protocol file with some values other than the trial's."""
    content = yaml.safe_load(FILE.read_text())
    for section, values in sections.items():
        content[section].update(values)
    path = tmp_path / name
    path.write_text(yaml.safe_dump(content))
    return path


def test_every_value_of_the_file_has_its_sentence() -> None:
    named = {name for name in fields(PROTOCOL) if not name.startswith("clauses.")}
    assert named == SENTENCES.keys()
    for name, value in fields(PROTOCOL).items():
        assert "{" not in sentence(name, value)


def test_every_reading_that_can_be_chosen_has_its_sentence() -> None:
    for name, said in SENTENCES.items():
        section, _, key = name.partition(".")
        annotation = type(getattr(PROTOCOL, section)).model_fields[key].annotation if key else None
        choices = {str(choice) for choice in get_args(annotation)} if "Literal" in str(annotation) else set()
        assert choices == (set() if isinstance(said, str) else set(said)), name


def test_the_readings_are_the_trials_and_name_what_else_could_be_read() -> None:
    assert readings(PROTOCOL)["acute_gvhd.stop_grade"].startswith("Acute GVHD stops treatment from grade II:")
    assert len(alternatives("restart.unit", "days")) == 2


def test_a_file_from_before_a_field_was_added_keeps_its_hash_until_the_field_is_changed(tmp_path: Path) -> None:
    content = yaml.safe_load(FILE.read_text())
    for section, names in LATER.items():
        for name in names:
            del content[section][name]
    before = tmp_path / "before.yaml"
    before.write_text(yaml.safe_dump(content))
    assert Protocol.load(before).hash == PROTOCOL.hash

    changed = Protocol.load(written(tmp_path, "changed.yaml", eligibility={"acute_gvhd_fails_from_grade": 3}))
    assert changed.hash != PROTOCOL.hash
    [difference] = differences(PROTOCOL, changed)
    assert difference.after == "Acute GVHD of MAGIC grade 3 or higher at enrolment excludes."


def test_two_files_that_say_the_same_in_another_layout_do_not_differ(tmp_path: Path) -> None:
    assert differences(PROTOCOL, Protocol.load(written(tmp_path, "same.yaml"))) == []


def test_check_prints_the_readings_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocol", "check", str(FILE)]) == 0
    said = capsys.readouterr().out
    assert "nct06754540 version 1.0.0, sha256:" in said
    assert "'1 to 2 months' are days 30 to 60 after discontinuation. [restart.unit: days]" in said
    assert "or: '1 to 2 months' are one to two calendar months after discontinuation." in said
    assert "Donor chimerism below 90% in whole marrow stops treatment; 90% itself does not." in said


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ({"acute_gvhd": {"stop_grade": 1}}, "acute_gvhd.stop_grade: Input should be 2 or 3"),
        ({"chimerism": {"stop_under_percent": 90}}, "chimerism.stop_under_percent: Extra inputs are not permitted"),
        ({"dli": {"interval_min_days": 0}}, "dli.interval_min_days: "),
    ],
)
def test_check_says_in_one_line_where_a_file_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mistake: dict[str, Any], said: str
) -> None:
    assert main(["protocol", "check", str(written(tmp_path, "wrong.yaml", **mistake))]) == 2
    [line] = capsys.readouterr().err.strip().splitlines()
    assert f"wrong.yaml cannot be used: {said}" in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfe", "it is not UTF-8"),
        (b"id: [nct", "line 1: expected"),
        (b"", "the file: Input should be a valid dictionary"),
        (b"site_timezone: Asia/Nowhere", "site_timezone: there is no time zone 'Asia/Nowhere'"),
    ],
)
def test_check_refuses_what_is_no_protocol_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_bytes(content)
    assert main(["protocol", "check", str(path)]) == 2
    assert said in capsys.readouterr().err


def test_check_of_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert main(["protocol", "check", str(tmp_path / "absent.yaml")]) == 2


def test_diff_says_in_words_what_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = written(tmp_path, "other.yaml", acute_gvhd={"stop_grade": 3}, chimerism={"stop_below_percent": 85})
    assert main(["protocol", "diff", str(FILE), str(other)]) == 0
    said = capsys.readouterr().out
    assert "before: Acute GVHD stops treatment from grade II:" in said
    assert "after:  Acute GVHD stops treatment from grade III:" in said
    assert "after:  Donor chimerism below 85% in whole marrow stops treatment; 85% itself does not." in said
    assert said.count("before:") == 2


def test_diff_of_the_same_file_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["protocol", "diff", str(FILE), str(FILE)]) == 0
    assert capsys.readouterr().out == "the two files say the same\n"


@pytest.mark.parametrize(
    ("stamp", "said", "others"),
    [
        ("acute_gvhd.stop_grade: 2", "Acute GVHD stops treatment from grade II", ["from grade III"]),
        ("restart.unit: days", "days 30 to 60", ["calendar months", "days 28 to 56"]),
        ("chimerism.stop_below_percent: 90", "below 90% in whole marrow stops", []),
        ("dli.steroid_free_hours: 24", "in the 24 hours before a DLI", ["for the whole period"]),
        ("new.field: 7", "new.field: 7", []),
        ("restart.unit: fortnights", "restart.unit: fortnights", []),
        ("", "", []),
    ],
)
def test_the_stamp_of_an_alert_is_said_in_words_with_the_other_readings(
    stamp: str, said: str, others: list[str]
) -> None:
    sentence, also = stamped(stamp)
    assert said in sentence
    assert len(also) == len(others)
    assert all(word in other for word, other in zip(others, also, strict=True))
