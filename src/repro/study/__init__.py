"""What do people prefer? A web study: schedule, chats, votes, export."""
