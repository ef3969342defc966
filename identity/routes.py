"""Every route of identity."""

from fastapi import APIRouter

from identity import jwks, key_routes, session_routes

router = APIRouter()
for _one in (session_routes, key_routes, jwks):
    router.include_router(_one.router)
