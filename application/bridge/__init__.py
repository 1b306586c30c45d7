"""The use cases of the reference bridge: live chats, and the delivery of coordinators' commands."""
