"""`python -m server`: the server's part of the `patternlog` command line."""

from server.command_line import app

if __name__ == "__main__":
    app()
