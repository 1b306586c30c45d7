"""Model providers as their servers behave: what they refuse, how they stream, how they fail.

One server plays them all, each under its own path; see `server`. Behind each is the same model,
see `toy_model`.
"""
