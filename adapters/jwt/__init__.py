"""Identity by signed tokens: JSON Web Tokens (RFC 7519, with the advice of RFC 8725)."""
