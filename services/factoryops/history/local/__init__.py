"""History in one file: `history.db`, an SQLite container of compressed column blocks."""
