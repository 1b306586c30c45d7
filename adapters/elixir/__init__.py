"""The bridge that is an Elixir application: its HTTP interface and its socket."""
