"""Proofs: that an event is in a tree, and that a tree begins with an earlier one (RFC 9162, section 2.1)."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from events.json_text import dump
from evidence.merkle import Leaves, consistency_parts, inclusion_parts, prove
from evidence.tiles import MissingHash, Place, Tiles, places_of
from projectors.schema.tree import TILES
from read_api.answers import OF_EITHER, PROVED, answers
from read_api.documents import ConsistencyDocument, InclusionDocument
from read_api.encoding import base64_of
from read_api.etags import json_answer
from read_api.paging import MAX_ORDINAL
from read_api.parameters import Reading, TeamId
from read_api.problems import damaged_tree, proof_out_of_range
from read_api.reader import CurrentReader

Size = Annotated[int, Field(ge=0, le=MAX_ORDINAL)]

router = APIRouter(prefix="/audit/proofs", tags=["audit"])


class InclusionQuery(Reading):
    """Which event, in which tree."""

    sequence: Annotated[int, Field(ge=1, le=MAX_ORDINAL, description="Of the event, from 1", examples=[2])]
    size: Annotated[Size, Field(description="Of the tree", examples=[9])]


class ConsistencyQuery(Reading):
    """Which trees."""

    from_: Annotated[Size, Field(alias="from", description="Size of the earlier tree", examples=[1])]
    to: Annotated[Size, Field(description="Size of the later tree", examples=[2])]


@router.get(
    "/inclusion",
    summary="An event is in a tree",
    responses=answers(InclusionDocument, *PROVED, etag=False, always=OF_EITHER),
)
async def prove_inclusion(
    team_id: TeamId, query: Annotated[InclusionQuery, Query()], reader: CurrentReader
) -> Response:
    """The hashes from the event's leaf up to the root of the tree of that size."""
    tree_size = (await reader.position(team_id, query)).sequence
    if not query.sequence <= query.size <= tree_size:
        raise proof_out_of_range("sequence <= size", tree_size)
    index = query.sequence - 1
    parts = inclusion_parts(index, query.size)
    leaf, whole = Leaves(index, query.sequence), Leaves(0, query.size)
    tiles = await _tiles(reader, team_id, [*parts, leaf, whole])
    try:
        found, root, path = tiles.root(leaf), tiles.root(whole), prove(tiles, parts)
    except MissingHash as error:
        raise damaged_tree(str(error)) from error
    return json_answer(
        dump(
            {
                "sequence": query.sequence,
                "size": query.size,
                "leaf": base64_of(found),
                "root": base64_of(root),
                "path": [base64_of(one) for one in path],
            }
        )
    )


@router.get(
    "/consistency",
    summary="A tree begins with another",
    responses=answers(ConsistencyDocument, *PROVED, etag=False, always=OF_EITHER),
)
async def prove_consistency(
    team_id: TeamId, query: Annotated[ConsistencyQuery, Query()], reader: CurrentReader
) -> Response:
    """The hashes that show that the later tree has all leaves of the earlier one, in the same places."""
    tree_size = (await reader.position(team_id, query)).sequence
    if not query.from_ <= query.to <= tree_size:
        raise proof_out_of_range("from <= to", tree_size)
    parts = consistency_parts(query.from_, query.to)
    before, after = Leaves(0, query.from_), Leaves(0, query.to)
    tiles = await _tiles(reader, team_id, [*parts, before, after])
    try:
        roots, path = (tiles.root(before), tiles.root(after)), prove(tiles, parts)
    except MissingHash as error:
        raise damaged_tree(str(error)) from error
    return json_answer(
        dump(
            {
                "from": query.from_,
                "to": query.to,
                "from_root": base64_of(roots[0]),
                "to_root": base64_of(roots[1]),
                "path": [base64_of(one) for one in path],
            }
        )
    )


async def _tiles(reader: CurrentReader, team_id: str, parts: Sequence[Leaves]) -> Tiles:
    places = places_of(parts)
    levels, indexes = [place.level for place in places], [place.index for place in places]
    rows = await reader.database.rows(TILES, team_id, levels, indexes)
    return Tiles({Place(row["level"], row["index"]): row["hashes"] for row in rows})
