"""The settings' documents are made from the code, and are what they were made to be."""

from pathlib import Path

import pytest

from runtime.settings import Settings
from runtime.settings_documentation import env_example, markdown_table, variable_of

ROOT = Path(__file__).parents[2]
HINT = "run `python -m tools.generate_docs`"


def test_the_committed_example_is_the_one_that_the_code_makes() -> None:
    assert (ROOT / ".env.example").read_text() == env_example(), HINT


def test_the_operations_page_has_the_table_that_the_code_makes() -> None:
    assert markdown_table() in (ROOT / "docs" / "operations.md").read_text(), HINT


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_a_copy_of_the_example_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_of(name), raising=False)
    defaults = Settings(_env_file=None)
    copy = tmp_path / ".env"
    copy.write_text(env_example())
    assert Settings(_env_file=copy) == defaults
    # So does one with every line in force: the defaults shown are the defaults.
    copy.write_text(env_example().replace("\n# PATTERNLOG_", "\nPATTERNLOG_"))
    assert Settings(_env_file=copy) == defaults
