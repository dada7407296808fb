"""SQL files: staging, core, mart, meta and checks; one object a file."""
