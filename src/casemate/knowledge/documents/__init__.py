"""Documents: how they are brought, what is kept of them at each label, and what becomes of them."""
