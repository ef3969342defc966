"""What the pure parts may import. The import contracts can only name what is forbidden."""

import sys

import grimp
import pytest

PURE = ("events", "command_api.decisions")
ALLOWED = frozenset({*sys.stdlib_module_names, "pydantic", "pydantic_core"})


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("events", "command_api", include_external_packages=True, cache_dir=None)


@pytest.mark.parametrize("package", PURE)
def test_a_pure_package_imports_the_standard_library_pydantic_and_pure_packages_alone(
    imports: grimp.ImportGraph, package: str
) -> None:
    modules = {package} | imports.find_descendants(package)
    assert len(modules) > 1
    imported = {found for module in modules for found in imports.find_modules_directly_imported_by(module)}
    foreign = {name for name in imported if not name.startswith(PURE)}
    assert {name for name in foreign if name.partition(".")[0] not in ALLOWED} == set()
