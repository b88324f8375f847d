"""The landing page, and the viewer: its built files and the two documents that it reads."""
