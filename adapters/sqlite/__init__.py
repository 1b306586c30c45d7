"""One file on this machine's disk, by the standard library's sqlite3."""
