"""Make or repair `.venv` from the lock. Runs on the system's Python, so it uses the standard library alone.

`.venv/.ready` holds the digest of the lock that the environment was made from. It is taken away before
anything changes and written last: an environment without it was interrupted, and is made from nothing.
"""

import fcntl
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements" / "lock.txt"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
READY = VENV / ".ready"


def main() -> None:
    """Hold the lock file while working: of two at once, the second finds the work done."""
    check_python()
    with (ROOT / ".venv.lock").open("a") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        os.set_inheritable(guard.fileno(), True)
        make_ready()


def check_python() -> None:
    """Say what is missing before anything is made."""
    if sys.version_info < OLDEST:
        sys.exit(
            f"Patternlog needs Python {OLDEST[0]}.{OLDEST[1]} or newer; {sys.executable} is "
            f"{sys.version_info[0]}.{sys.version_info[1]}. Name another one: make PYTHON=python3.12"
        )
    try:
        __import__("ensurepip")
        __import__("venv")
    except ImportError as missing:
        sys.exit(
            f"{sys.executable} has no {missing.name}, which makes virtual environments. "
            "On Debian and Ubuntu: apt install python3-venv"
        )


def make_ready() -> None:
    """Bring the environment to the lock's state, from whatever state it is in."""
    started = time.monotonic()
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    made_from = READY.read_text() if READY.exists() and PYTHON.exists() else None
    if made_from is None:
        print("Making .venv (once; downloads some 130 MB)", flush=True)
        run(sys.executable, "-m", "venv", "--clear", str(VENV))
    if made_from != digest:
        READY.unlink(missing_ok=True)
        install_locked()
    install_project()
    READY.write_text(digest)
    print(f"Ready: .venv ({time.monotonic() - started:.1f} s)", flush=True)


def install_locked() -> None:
    """Install the lock with uv, or else with pip: uv does not read pip's mirrors and certificates."""
    pip = (str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
    pinned_uv = VENV / "uv.txt"
    pinned_uv.write_text(requirement("uv"))
    run(*pip, "--requirement", str(pinned_uv))
    try:
        run(*uv("--require-hashes", "--requirement", str(LOCK)))
    except subprocess.CalledProcessError:
        print("uv could not install the lock; trying pip, which takes a minute", flush=True)
        run(*pip, "--requirement", str(LOCK))


def install_project() -> None:
    """Put the project's own folders, scripts and entry points into the environment."""
    run(*uv("--no-deps", "--no-build-isolation", "--editable", str(ROOT)))


def requirement(name: str) -> str:
    """One package's entry in the lock, with its hashes."""
    lines = LOCK.read_text().splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith(name + "=="))
    after = next(n for n, line in enumerate(lines) if n > first and not line.startswith(" "))
    return "\n".join(lines[first:after])


def uv(*arguments: str) -> "tuple[str, ...]":
    """The command line of an installation by uv."""
    return (str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--python", str(PYTHON), *arguments)


def run(*command: str) -> None:
    """Run a command to its end. It inherits the lock, so that a second run waits for it if we are killed.

    If we are interrupted it ends too, with all that it started: what it leaves behind would hold no lock.
    """
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, close_fds=False, start_new_session=True
    ) as process:
        try:
            code = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if code != 0:
        raise subprocess.CalledProcessError(code, command)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted; the next run begins anew")
    except subprocess.CalledProcessError as failure:
        sys.exit(f"Could not make .venv: {' '.join(failure.cmd[:4])} ended with {failure.returncode}")
