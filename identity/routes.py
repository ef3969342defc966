"""Every route of identity."""

from fastapi import APIRouter

from identity import accounts_routes, jwks, key_routes, session_routes

router = APIRouter()
for _one in (accounts_routes, session_routes, key_routes, jwks):
    router.include_router(_one.router)
