"""The configurations that are searched: small ones by the tests, large ones by hand.

Each covers one facet. Commands a and b want the same name, so of these two only one may be accepted.
"""

from dataclasses import replace

from tests.model.config import Config
from tests.model.records import Command

A, B, C = Command("a", "x"), Command("b", "x"), Command("c", "y")

TAKEOVER = Config(name="takeover", commands=(A, B), takings=3)
THREE_DECIDERS = Config(name="three deciders", commands=(A, B), deciders=3, takings=3, eager=True)
DEPLOYMENT = Config(name="deployment", commands=(A, B), takings=3, owned=True, whims=True, eager=True)
BATCHES = Config(name="batches", commands=(A, C, B), takings=2, batch=3, whims=True)
HEADS = Config(name="heads", commands=(A, B), takings=3, owned=True, heads_projected=True)
ORPHANS = Config(
    name="orphans", commands=(A, C), deciders=1, takings=3, owned=True, batch=2, heads_projected=True
)
RESTORE = Config(
    name="restore", commands=(A, B), takings=2, owned=True, restores=1, heads_projected=True, evictions=True
)
REPEATS = Config(
    name="repeats",
    commands=(A, B, A),
    takings=2,
    owned=True,
    restores=1,
    outcomes_projected=True,
    evictions=True,
    retention=True,
)
GENESIS = Config(name="genesis", commands=(A,), deciders=1, creators=2, takings=4)

CHECKED = (TAKEOVER, THREE_DECIDERS, DEPLOYMENT, BATCHES, HEADS, ORPHANS, RESTORE, REPEATS, GENESIS)

LARGE = (
    replace(TAKEOVER, name="three deciders, late acknowledgements", deciders=3, whims=True),
    replace(TAKEOVER, name="four takings", takings=4, owned=True, eager=True),
    replace(DEPLOYMENT, name="deployment, late acknowledgements", eager=False),
    replace(DEPLOYMENT, name="deployment in batches", commands=(A, C, B), batch=2),
    replace(ORPHANS, name="orphans of two deciders", deciders=2),
    replace(RESTORE, name="restore and takeover", takings=3),
    replace(REPEATS, name="repeats and takeover", commands=(A, A), takings=3, restores=0, evictions=False),
    replace(REPEATS, name="everything at once", batch=2, whims=True, heads_projected=True),
    replace(GENESIS, name="genesis and two deciders", deciders=2),
)
