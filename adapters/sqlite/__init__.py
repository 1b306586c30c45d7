"""Storage in a file on the local disk, with the standard library's sqlite3."""
