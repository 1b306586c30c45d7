"""The rules of the reference bridge: a live chat and the commands of its coordinators."""
