"""Each library has one home: git, database, search index."""
