"""The reference bridge: what the coordinators' side does with the conversations it is told of."""
