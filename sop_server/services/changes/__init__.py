"""Business changes: tickets, their go-live, their obligations."""
