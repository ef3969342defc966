"""The metrics as a table, for docs/operations.md."""

from collections.abc import Iterator

from prometheus_client.metrics import MetricWrapperBase

from runtime import metrics


def declared() -> Iterator[MetricWrapperBase]:
    """Every metric that `runtime.metrics` declares, in order."""
    return (value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase))


def markdown_table() -> str:
    """The metrics as a table in Markdown."""
    rows = (_row(metric) for metric in declared())
    return "| metric | kind | labels | what it is |\n| --- | --- | --- | --- |\n" + "".join(rows)


def _row(metric: MetricWrapperBase) -> str:
    (family,) = metric.describe()
    name = family.name + ("_total" if family.type == "counter" else "")
    # Before it has samples, a metric tells its labels in no public way.
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001
    return f"| `{name}` | {family.type} | {labels} | {family.documentation} |\n"
