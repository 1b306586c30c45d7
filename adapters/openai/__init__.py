"""A model behind OpenAI's Chat Completions API: OpenAI's own, or any server that speaks it."""
