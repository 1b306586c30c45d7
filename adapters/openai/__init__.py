"""The client of models behind OpenAI's Chat Completions, or an API that is compatible with it."""
