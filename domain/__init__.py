"""The rules of a conversation between a customer, an AI and a human: pure and synchronous."""
