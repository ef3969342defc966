"""The metrics' table is made from the code."""

from pathlib import Path

from runtime.metrics_documentation import declared, markdown_table

ROOT = Path(__file__).parents[2]


def test_the_operations_page_has_the_table_that_the_code_makes() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    assert markdown_table() in page, "run `python -m tools.generate_docs`"


def test_metrics_bear_the_project_s_name() -> None:
    names = [family.name for metric in declared() for family in metric.describe()]
    assert len(names) >= 6
    assert [name for name in names if not name.startswith("patternlog_")] == []
