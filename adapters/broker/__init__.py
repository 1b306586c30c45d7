"""The brokers between processes: what they share, and a network each."""
