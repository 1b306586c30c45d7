"""The reference bridge: a live chat, its rules and its parties."""
