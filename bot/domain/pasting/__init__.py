"""Reading what people paste: entries of a timeline, a line each, from tables, lists and chats."""
