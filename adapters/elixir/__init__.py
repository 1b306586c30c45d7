"""The Elixir application at the other end of the bridge: its HTTP interface and its socket."""
