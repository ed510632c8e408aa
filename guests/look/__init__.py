"""The look of the guest pages: one row of it, what may be saved, and the logo."""
