"""Slack as one of the chats: cards as blocks, sending, finding again, and everything members say or press there."""
