"""The exhaustively checked model of the conditional append: see docs/conditional-append.md."""
