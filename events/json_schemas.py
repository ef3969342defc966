"""JSON Schemas as pydantic makes them, for documents that have no place for its definitions."""

from collections.abc import Mapping

from events.json_text import Json


def inlined(schema: dict[str, Json]) -> dict[str, Json]:
    """A schema with its shapes in place of their names, and without the titles that are made of names."""
    whole: dict[str, Json] = _inlined(schema, schema.get("$defs", {}))
    return whole


def _inlined(schema: Json, shapes: Mapping[str, Json]) -> Json:
    if isinstance(schema, list):
        return [_inlined(item, shapes) for item in schema]
    if not isinstance(schema, dict):
        return schema
    named = schema.get("$ref", "").removeprefix("#/$defs/")
    if named in shapes:
        return _inlined(shapes[named], shapes)
    return {
        name: {key: _inlined(member, shapes) for key, member in value.items()}
        if name == "properties"
        else _inlined(value, shapes)
        for name, value in schema.items()
        if name not in ("title", "$defs")
    }
