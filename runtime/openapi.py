"""What OpenAPI says of every process alike: the bearer token, and problems as the form of every error."""

from typing import Any

from fastapi import FastAPI

from runtime.problems import MEDIA_TYPE

PROBLEMS: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem document (RFC 9457); docs/problems.md explains each code",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
}

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; made for programs"},
        "detail": {"type": "string", "description": "Made for people; its words may change"},
        "request_id": {"type": "string"},
    },
}


class DescribedApp(FastAPI):
    """An app whose OpenAPI document has the problem's schema and asks for a bearer token under /api."""

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        if self.openapi_schema is None:
            document = super().openapi()
            components = document.setdefault("components", {})
            components.setdefault("schemas", {})["Problem"] = _PROBLEM
            components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
            for path, operations in document["paths"].items():
                if path.startswith("/api/"):
                    for operation in operations.values():
                        operation["security"] = [{"bearer": []}]
        return super().openapi()
