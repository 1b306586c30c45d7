"""Parts of every model behind an API: prompt, tools, retries, failures."""
