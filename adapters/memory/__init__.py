"""What lives in the process's own memory."""
