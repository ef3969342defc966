"""A server for the sync client's tests: in memory, or over HTTP from a thread."""
