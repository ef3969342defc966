"""Make again what is made from the code: `.env.example`, and the tables in docs/operations.md."""

from pathlib import Path

from runtime import metrics_documentation, settings_documentation

ROOT = Path(__file__).resolve().parent.parent
TABLES = {
    "settings": settings_documentation.markdown_table,
    "metrics": metrics_documentation.markdown_table,
}


def main() -> None:
    """Write both files."""
    (ROOT / ".env.example").write_text(settings_documentation.env_example())
    page = ROOT / "docs" / "operations.md"
    page.write_text(with_tables(page.read_text()))


def with_tables(text: str) -> str:
    """The page with each table between its marks made again."""
    for name, table in TABLES.items():
        before, begin, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end of {name} -->")
        if not end:
            raise SystemExit(f"docs/operations.md: the marks of the table of {name} are not there")
        text = f"{before}{begin}\n{table()}\n{end}{after}"
    return text


if __name__ == "__main__":
    main()
