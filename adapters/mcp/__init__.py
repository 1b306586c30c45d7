"""The tools of businesses' own servers, which speak MCP."""
