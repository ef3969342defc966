"""`tree-alarms`: what the notary refused to sign, for the operator to look at and to clear."""

from projectors.notary.alarms import alarms, clear
from runtime.postgres import create_engine, driver
from runtime.settings import Settings
from runtime.startup_failures import Misconfigured


async def list_alarms(settings: Settings) -> str:
    """Every alarm with its evidence, as text."""
    engine = create_engine(settings, "patternlog-tree-alarms")
    try:
        async with driver(engine) as pg:
            found = await alarms(pg)
    finally:
        await engine.dispose()
    told = [f"team {team}, log {log}: {reason}\n{evidence}" for team, log, reason, evidence in found]
    return "\n".join(told) or "no alarms"


async def clear_alarm(settings: Settings, team_id: str) -> str:
    """Let a team's log be signed again; raise `Misconfigured` when there is no alarm of it."""
    engine = create_engine(settings, "patternlog-tree-alarms")
    try:
        async with driver(engine) as pg:
            is_cleared = await clear(pg, team_id)
    finally:
        await engine.dispose()
    if not is_cleared:
        raise Misconfigured(f"there is no alarm of the team {team_id}")
    return f"the log of {team_id} is signed again; start the projectors anew to take back their alarm"
